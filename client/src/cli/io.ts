import pc from 'picocolors';

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
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    env,
    cwd: process.cwd(),
    home,
    screen: stderr.isTTY && env['TERM'] !== 'dumb' ? stderr : null,
    colors: pc.createColors(stdout.isTTY && stderr.isTTY && !plain),
    nowMs: () => Date.now(),
    readStdin: async () => {
      let text = '';
      for await (const chunk of stdin.setEncoding('utf8')) text += String(chunk);
      return text;
    },
    interrupted: interrupted.signal,
    fetch: (input, init) => fetch(input, init),
  };
}

/** Somebody asked the command to end. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
