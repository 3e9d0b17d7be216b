import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ConfinedProcess, type Ended } from '../confined-process.js';
import type { ConfinedLimits, ConfinedProgram, Sandbox } from '../sandbox.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const LIMITS: ConfinedLimits = { memoryMib: 512, cpuSeconds: 20, processes: 64, openFiles: 64 };

/** What a probe found out; null when it ended before it could say. */
export interface Probed {
  readonly result: unknown;
  readonly ended: Ended;
  readonly outputBytes: number;
}

/** A folder any user can read, with the probes in it. */
export class ProbeFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'tidemill-probes-'));
  readonly native = join(this.path, 'native');

  constructor() {
    chmodSync(this.path, 0o755);
    copyFileSync(join(here, 'inside.mjs'), join(this.path, 'inside.mjs'));
    execFileSync('gcc', ['-static', '-O1', '-o', this.native, join(here, 'native.c')], {
      timeout: 60_000,
    });
  }

  /** Runs a probe confined; `native` stands for the native program wherever it is among the words. */
  async confined(
    sandbox: Sandbox,
    words: readonly string[],
    limits: Partial<ConfinedLimits> = {},
    wallMs = 30_000,
  ): Promise<Probed> {
    const program: ConfinedProgram = {
      entry: join(this.path, 'inside.mjs'),
      nodeFlags: [],
      arguments: words.map((word) => (word === 'NATIVE' ? '/app/probes/native' : word)),
      mounts: [{ source: this.path, target: '/app/probes' }],
      environment: { HOME: '/tmp' },
      limits: { ...LIMITS, ...limits },
    };
    const running = new ConfinedProcess(sandbox, program, {
      wallMs,
      signal: new AbortController().signal,
    });
    running.input.end();
    const [text, output] = await Promise.all([
      collect(running.events),
      count(running.output),
      count(running.errors),
    ]);
    const ended = await running.ended;
    return {
      result: text === '' ? null : (JSON.parse(text) as unknown),
      ended,
      outputBytes: output,
    };
  }

  /** Runs the same probe with nothing around it, as whoever runs the tests. */
  async free(words: readonly string[]): Promise<unknown> {
    const child = spawn(
      process.execPath,
      [
        join(this.path, 'inside.mjs'),
        ...words.map((word) => (word === 'NATIVE' ? this.native : word)),
      ],
      {
        stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
        timeout: 30_000,
      },
    );
    const events = child.stdio[3];
    if (!(events !== null && events !== undefined && 'read' in events))
      throw new Error('there is no pipe for the result');
    return JSON.parse(await collect(events)) as unknown;
  }
}

/** Whether the probes can run on this machine. The reason is printed when not; on CI it is a failure. */
export function canProbe(): boolean {
  const missing = missingTools();
  if (missing === null) return true;
  const reason = `the sandbox probes need what is not here: ${missing}`;
  if (process.env['CI'] !== undefined) throw new Error(reason);
  process.stderr.write(`${reason}; they are skipped\n`);
  return false;
}

function missingTools(): string | null {
  const missing = ['bwrap', 'gcc', 'prlimit'].filter(
    (tool) =>
      !['/usr/bin', '/bin', '/usr/local/bin'].some((folder) => existsSync(join(folder, tool))),
  );
  return missing.length === 0 ? null : `${missing.join(', ')} not installed`;
}

/** The native program's lines as a map from what was tried to the errno. */
export function answers(probed: unknown): Map<string, number> {
  const { stdout } = probed as { stdout: string }; // what the verb `native` gives
  return new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([what = '', errno = '']) => [what, Number(errno)]),
  );
}

async function collect(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString('utf8');
  return text;
}

async function count(stream: Readable): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}
