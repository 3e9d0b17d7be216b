import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** What to run, and how the guard ends it when this process dies. */
export interface GuardedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** An open file descriptor that takes the output. The process writes there itself, so it never blocks on us. */
  readonly output: number;
  /** The signal that asks the process to end. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** How long the process may take to end before its whole group is killed. */
  readonly killAfterMs: number;
  /** A folder of temporary data, which the guard removes if this process dies and can no longer do it. */
  readonly temporaryFolder?: string | undefined;
  /** Runs the process as another user; only root may ask for it. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** How a process ended: its exit status, or the signal that ended it. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  /** The pid of the command, and the id of its process group. */
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Undefined while it runs. */
  readonly outcome: () => Ended | undefined;
  /** Sends a signal to the command alone; false when it has ended. */
  readonly signal: (signal: NodeJS.Signals) => boolean;
  /** Sends the stop signal, after the deadline kills the whole group, and waits until the command has ended. */
  readonly stop: () => Promise<Ended>;
}

/**
 * Starts a command in a process group of its own that cannot outlive this process. Rejects when it cannot be started.
 *
 * A shell puts a watcher beside the command and then becomes the command. The watcher reads a pipe that only this
 * process holds open: however this process ends, SIGKILL included, the pipe closes and the watcher ends the group.
 * The pipe closes as well when the command ends, so neither the watcher nor a forgotten child stays behind.
 */
export async function spawnGuarded(guarded: GuardedCommand): Promise<GuardedProcess> {
  const stopSignal = guarded.stopSignal.slice('SIG'.length);
  const graceSeconds = String(Math.max(1, Math.ceil(guarded.killAfterMs / 1000)));
  const guard = [stopSignal, graceSeconds, guarded.temporaryFolder ?? ''];
  const child = spawn(
    '/bin/sh',
    ['-c', WATCH_THEN_EXEC, 'sh', ...guard, guarded.command, ...guarded.args],
    {
      cwd: guarded.cwd,
      env: guarded.env,
      detached: true,
      stdio: ['ignore', guarded.output, guarded.output, 'pipe'],
      ...(guarded.user ?? {}),
    },
  );
  const lifeline = child.stdio[3] as Writable; // Opened as a pipe just above.
  lifeline.on('error', () => {}); // The watcher has gone already, which is all that closing the pipe asks for.

  let outcome: Ended | undefined;
  const ended = new Promise<Ended>((resolve) => {
    child.once('exit', (code, signal) => {
      outcome = { code, signal };
      lifeline.destroy();
      resolve(outcome);
    });
  });
  await once(child, 'spawn');
  child.on('error', () => {}); // Raised by a signal to a process that has just ended; `ended` tells.
  const pid = child.pid as number; // Known from the event on.

  const signal = (name: NodeJS.Signals) => outcome === undefined && child.kill(name);
  const stop = async () => {
    signal(guarded.stopSignal);
    const timer = new AbortController();
    await Promise.race([ended, sleep(guarded.killAfterMs, undefined, { signal: timer.signal })]);
    timer.abort();
    if (outcome === undefined) killGroup(pid);
    return ended;
  };
  return { pid, ended, outcome: () => outcome, signal, stop };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

// In the watcher $$ is still the pid of the outer shell, which becomes the command and leads the group. That pid
// cannot be given to another process meanwhile, because the watcher itself is in the group. The last kill ends it too.
const WATCH_THEN_EXEC = `
signal=$1; grace=$2; folder=$3; shift 3
(
  PATH=/usr/bin:/bin
  trap '' INT TERM HUP
  read -r _ <&3
  exec 3<&-
  if kill -s "$signal" $$ 2>/dev/null; then
    waited=0
    while kill -0 $$ 2>/dev/null && [ "$waited" -lt "$grace" ]; do sleep 1; waited=$((waited + 1)); done
    kill -s KILL $$ 2>/dev/null
    if [ -n "$folder" ]; then cd / && rm -rf -- "$folder"; fi
  fi
  kill -s KILL -- -$$
) </dev/null >/dev/null 2>&1 3<&3 &
exec 3<&-
exec "$@"
`;
