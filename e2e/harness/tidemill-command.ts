import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** How a run of the command ended. */
export interface CommandRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The built command; it is run as its users run it. */
const MAIN = join(
  dirname(createRequire(import.meta.url).resolve('@tidemill/client/package.json')),
  'dist',
  'cli',
  'main.js',
);

/** Runs the command as a process of its own, with a deadline. `home` takes its wallet and its profile. */
export function tidemill(
  args: readonly string[],
  { home, env = {} }: { readonly home: string; readonly env?: Record<string, string> },
): Promise<CommandRun> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: home,
      env: commandEnv(home, env),
      timeout: 90_000,
      maxBuffer: 64 * 1024 * 1024,
    };
    execFile(process.execPath, [MAIN, ...args], options, (error, out, err) => {
      if (error === null) resolve({ code: 0, out, err });
      else if (typeof error.code === 'number') resolve({ code: error.code, out, err });
      else
        reject(
          new Error(`tidemill ${args.join(' ')} did not end by itself\n${out}\n${err}`, {
            cause: error,
          }),
        );
    });
  });
}

/** Starts the command and leaves it running; whoever started it ends it. */
export function startTidemill(
  args: readonly string[],
  { home, env = {} }: { readonly home: string; readonly env?: Record<string, string> },
): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: home,
    env: commandEnv(home, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const commandEnv = (home: string, env: Record<string, string>) => ({
  PATH: process.env['PATH'],
  HOME: home,
  NO_COLOR: '1',
  ...env,
});

/** The first job that a command's words name; nothing when they name none. */
export const jobIdIn = (text: string): string => /job_[0-9a-z]{26}/.exec(text)?.[0] ?? '';
