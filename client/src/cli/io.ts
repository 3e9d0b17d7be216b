import { text } from 'node:stream/consumers';
import pc from 'picocolors';
import { InterruptedError } from './interrupted-error.js';
import { readSecret } from './read-secret.js';

type Colors = ReturnType<typeof pc.createColors>;

/** Everything a command touches outside itself; tests bring their own. */
export interface Io {
  /** Results: what a script reads. */
  readonly out: (text: string) => void;
  /** Everything else: progress, hints, errors. */
  readonly err: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home: string;
  /** Where live progress is drawn, or null when nobody would see it. */
  readonly screen: NodeJS.WriteStream | null;
  readonly colors: Colors;
  readonly nowMs: () => number;
  readonly readStdin: () => Promise<string>;
  /** See {@link readSecret}. */
  readonly readSecret: (prompt: string, options?: { readonly twice?: boolean }) => Promise<string>;
  /** Aborted by Ctrl-C, with an InterruptedError. */
  readonly interrupted: AbortSignal;
  readonly fetch: typeof fetch;
}

/** The Io of this process. Colours and bars only where a person looks at them. */
export function processIo(home: string, env: NodeJS.ProcessEnv): Io {
  const { stdout, stderr, stdin } = process;
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interrupted.abort(new InterruptedError()));
  }
  // `tidemill jobs | head` closes the pipe early, which is no fault.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    out: (line) => void stdout.write(line),
    err: (line) => void stderr.write(line),
    env,
    cwd: process.cwd(),
    home,
    screen: stderr.isTTY && env['TERM'] !== 'dumb' ? stderr : null,
    colors: pc.createColors(stdout.isTTY && stderr.isTTY && !plain),
    nowMs: () => Date.now(),
    readStdin: () => text(stdin),
    readSecret: (prompt, options) => readSecret(stdin, stderr, prompt, options),
    interrupted: interrupted.signal,
    fetch: (input, init) => fetch(input, init),
  };
}
