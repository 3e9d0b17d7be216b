import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** What to run, and how the guard ends it when this process dies. */
export interface GuardedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** An open file descriptor that takes the output. */
  readonly output: number;
  /** The signal that asks the process to end. */
  readonly stopSignal: 'INT' | 'TERM';
  /** How long the process may take to end before the whole group is killed. */
  readonly killAfterMs: number;
  /** Runs the process as another user; only root may ask for it. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Starts a command in a process group of its own that cannot outlive this process.
 *
 * A shell puts a watcher beside the command and then becomes the command. The watcher reads a pipe that only this
 * process holds open: however this process ends, SIGKILL included, the pipe closes and the watcher ends the group.
 * The same pipe closes when the command has ended, so the watcher never stays behind.
 */
export function spawnGuarded(guarded: GuardedCommand): ChildProcess {
  const graceSeconds = String(Math.max(1, Math.ceil(guarded.killAfterMs / 1000)));
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      WATCH_THEN_EXEC,
      'sh',
      guarded.stopSignal,
      graceSeconds,
      guarded.command,
      ...guarded.args,
    ],
    {
      cwd: guarded.cwd,
      env: guarded.env,
      detached: true,
      stdio: ['ignore', guarded.output, guarded.output, 'pipe'],
      ...(guarded.user ?? {}),
    },
  );
  const lifeline = child.stdio[3] as Writable; // opened as a pipe just above
  lifeline.on('error', () => {}); // The watcher is gone already, which is all that closing the pipe asks for.
  child.once('exit', () => lifeline.destroy());
  return child;
}

/** Sends a signal to the whole group of a guarded process; false when the group is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

// $$ stays the pid of the shell inside the watcher, and thus of the command, and thus of the group.
// The last kill takes the watcher too, which is a member of the group.
const WATCH_THEN_EXEC = `
signal=$1; grace=$2; shift 2
(
  trap '' INT TERM HUP
  read -r _ <&3
  exec 3<&-
  kill -s "$signal" $$ 2>/dev/null
  waited=0
  while kill -0 $$ 2>/dev/null && [ "$waited" -lt "$grace" ]; do sleep 1; waited=$((waited + 1)); done
  kill -s KILL -- -$$
) </dev/null >/dev/null 2>&1 3<&3 &
exec 3<&-
exec "$@"
`;
