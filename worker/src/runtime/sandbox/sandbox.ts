import type { ChildProcess } from 'node:child_process';
import type { IsolationLevel } from '@tidemill/protocol';

/** A folder or file of this machine that the confined program may read, and where it finds it. */
export interface ReadOnlyMount {
  readonly source: string;
  readonly target: string;
}

export interface ConfinedLimits {
  /** Memory the program may really use. Address space is limited further up, since Node reserves more than it uses. */
  readonly memoryMib: number;
  /** CPU time of all its threads together. */
  readonly cpuSeconds: number;
  /** Processes and threads. */
  readonly processes: number;
  readonly openFiles: number;
}

/** A Node program to be run without trust. It speaks through its standard streams and descriptor 3, and through nothing else. */
export interface ConfinedProgram {
  /** Path on this machine, below one of the mounts. */
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  readonly arguments: readonly string[];
  readonly mounts: readonly ReadOnlyMount[];
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: ConfinedLimits;
}

/** A way to confine a program. Starting one may throw `SandboxError`; the caller then has no process to care for. */
export interface Sandbox {
  readonly level: IsolationLevel;
  /** For people: how the confinement is done, and why it is not stronger. */
  readonly detail: string;
  /** Starts the program with pipes on 0, 1, 2 and 3, as the head of a group of its own. */
  start(program: ConfinedProgram): ChildProcess;
}

export class SandboxError extends Error {
  override readonly name = 'SandboxError';
}

/** Where a mounted path is found by the program. */
export function insidePath(path: string, mounts: readonly ReadOnlyMount[]): string {
  const mount = mounts.find(({ source }) => path === source || path.startsWith(`${source}/`));
  if (mount === undefined) throw new SandboxError(`${path} lies under none of the mounts`);
  return mount.target + path.slice(mount.source.length);
}
