import pc from 'picocolors';
import { InterruptedError } from '../cli/interrupted-error.js';
import type { Io } from '../cli/io.js';
import { run } from '../cli/run.js';

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliWorld {
  readonly home: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly colors?: boolean;
  /** Interrupts the command when this text is printed. */
  readonly interruptAt?: string;
}

/** Runs one command line in this process, far from the real home, environment and terminal. */
export async function runCli(argv: readonly string[], world: CliWorld): Promise<CliRun> {
  let out = '';
  let err = '';
  const interrupted = new AbortController();
  const watch = (text: string) => {
    if (world.interruptAt !== undefined && text.includes(world.interruptAt)) {
      interrupted.abort(new InterruptedError());
    }
  };
  const io: Io = {
    out: (text) => {
      out += text;
      watch(out);
    },
    err: (text) => {
      err += text;
      watch(err);
    },
    env: world.env ?? {},
    cwd: world.cwd ?? world.home,
    home: world.home,
    screen: null,
    colors: pc.createColors(world.colors ?? false),
    nowMs: () => Date.parse('2030-01-01T00:00:10Z'),
    readStdin: async () => world.stdin ?? '',
    readSecret: async () => world.stdin?.split(/\r?\n/)[0] ?? '',
    interrupted: interrupted.signal,
    fetch: (input, init) => fetch(input, init),
  };
  const code = await run(argv, io);
  return { code, out, err };
}
