import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** What the figures were measured on; a figure without it says nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  /** Load average of the last minute: above the number of cores, neighbours were at work. */
  readonly load: number;
  readonly node: string;
  readonly postgres: string;
  readonly packages: Readonly<Record<string, string>>;
}

export function describeMachine(postgres: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0] ?? 0,
    node: process.version,
    postgres,
    packages: Object.fromEntries(
      ['graphile-worker', 'pg-boss', 'ws', 'pg'].map((name) => [name, versionOf(name)]),
    ),
  };
}

function versionOf(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
}
