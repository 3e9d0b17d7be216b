import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, type GuardedProcess, spawnGuarded } from './guarded-spawn.js';
import { followUntil, logTail } from './log-lines.js';

/** What shows that a process is ready: a line of its output, or a URL that answers 200. */
export type ReadyWhen = { readonly line: RegExp } | { readonly url: string };

export interface StartProcessOptions {
  /** Stands in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process. Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Default: the working directory of this process. */
  readonly cwd?: string | undefined;
  /** Gets standard output and standard error, appended. Folders are made. */
  readonly logFile: string;
  readonly readyWhen: ReadyWhen;
  /** How long it may take to become ready. Default: 30 s. */
  readonly startDeadlineMs?: number | undefined;
  /** How long it may take to end after SIGTERM. Default: 10 s. */
  readonly stopDeadlineMs?: number | undefined;
}

/** A process that was ready once. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** What `readyWhen.line` matched; null when a URL was asked. */
  readonly readyLine: RegExpMatchArray | null;
  /** Settles when the process has ended, for whatever reason. */
  readonly ended: Promise<Ended>;
  /** Waits for a line of the output since the start, lines already there included. */
  waitForLine(pattern: RegExp, deadlineMs: number): Promise<RegExpMatchArray>;
  /** Sends any signal to the process itself, such as SIGKILL or SIGSTOP; false when it has ended. */
  signal(signal: NodeJS.Signals): boolean;
  /** Asks with SIGTERM, then kills the whole process group; settles when it has ended. May be called again. */
  stop(): Promise<Ended>;
}

/** A process ended, or its deadline passed, before it did what was waited for; the message ends with its last output. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
}

/**
 * Starts a process and waits until it is ready. Neither it nor its children outlive this process, however that ends.
 * Rejects with ProcessError, leaving nothing running, when it is not ready in time.
 */
export async function startProcess(options: StartProcessOptions): Promise<RunningProcess> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const output = openSync(options.logFile, 'a');
  const logStart = fstatSync(output).size;
  let guarded: GuardedProcess;
  try {
    guarded = await spawnGuarded({
      command: options.command,
      args: options.args,
      env: options.env ?? process.env,
      cwd: options.cwd ?? process.cwd(),
      output,
      stopSignal: 'SIGTERM',
      killAfterMs: options.stopDeadlineMs ?? 10_000,
    });
  } catch (cause) {
    throw new ProcessError(
      `${options.name} could not be started in ${options.cwd ?? process.cwd()}`,
      { cause },
    );
  } finally {
    closeSync(output);
  }
  const watched = { name: options.name, logFile: options.logFile, logStart, guarded };
  try {
    const deadlineMs = options.startDeadlineMs ?? 30_000;
    const readyLine = await waitUntilReady(watched, options.readyWhen, deadlineMs);
    return {
      name: options.name,
      pid: guarded.pid,
      logFile: options.logFile,
      readyLine,
      ended: guarded.ended,
      waitForLine: (pattern, ms) => waitForLine(watched, pattern, ms),
      signal: guarded.signal,
      stop: guarded.stop,
    };
  } catch (error) {
    await guarded.stop();
    throw error;
  }
}

interface Watched {
  readonly name: string;
  readonly logFile: string;
  readonly logStart: number;
  readonly guarded: GuardedProcess;
}

async function waitUntilReady(
  watched: Watched,
  ready: ReadyWhen,
  deadlineMs: number,
): Promise<RegExpMatchArray | null> {
  if ('line' in ready) return waitForLine(watched, ready.line, deadlineMs);
  const deadline = performance.now() + deadlineMs;
  while (performance.now() < deadline && watched.guarded.outcome() === undefined) {
    if (await answersOk(ready.url)) return null;
    await sleep(100);
  }
  throw await notInTime(watched, `answer at ${ready.url}`, deadlineMs);
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false; // Nobody listens yet; the caller's deadline decides how long that may last.
  }
}

async function waitForLine(
  watched: Watched,
  pattern: RegExp,
  deadlineMs: number,
): Promise<RegExpMatchArray> {
  const deadline = performance.now() + deadlineMs;
  const isOver = () => watched.guarded.outcome() !== undefined || performance.now() >= deadline;
  const match = await followUntil(watched.logFile, { from: watched.logStart, pattern, isOver });
  if (match === null) throw await notInTime(watched, `print ${String(pattern)}`, deadlineMs);
  return match;
}

async function notInTime(
  watched: Watched,
  what: string,
  deadlineMs: number,
): Promise<ProcessError> {
  const outcome = watched.guarded.outcome();
  const why =
    outcome === undefined
      ? `did not ${what} within ${deadlineMs} ms`
      : `ended (${outcome.signal ?? `status ${outcome.code}`}) before it could ${what}`;
  const said = await logTail(watched.logFile, watched.logStart);
  return new ProcessError(
    `${watched.name} ${why}. Its last output, from ${watched.logFile}:\n${said || '(none)'}`,
  );
}
