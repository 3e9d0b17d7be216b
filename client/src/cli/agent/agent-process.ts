import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const Lock = z.object({ pid: z.int().positive(), started: z.string().nullable() });

/** The worker on this machine that holds a state folder. */
export interface AgentProcess {
  readonly pid: number;
  isAlive(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** True once it has ended, false when the deadline passes first. */
  hasEndedWithin(ms: number, signal: AbortSignal): Promise<boolean>;
}

/** The folder of the agent: its own variable, or its own default. */
export function agentStateDir(env: NodeJS.ProcessEnv, home: string): string {
  return env['TIDEMILL_WORKER_STATE_DIR'] || join(home, '.tidemill', 'worker');
}

/** The agent that runs with a state folder, or null. A lock that a dead agent left behind counts for nothing. */
export function findAgent(stateDir: string): AgentProcess | null {
  let lock: z.infer<typeof Lock>;
  try {
    lock = Lock.parse(JSON.parse(readFileSync(join(stateDir, 'agent.lock'), 'utf8')));
  } catch {
    return null; // No lock, or none that an agent wrote.
  }
  const isAlive = () => isRunning(lock.pid) && isSame(lock.pid, lock.started);
  if (!isAlive()) return null;
  return {
    pid: lock.pid,
    isAlive,
    // Looked at again: the number may have passed to a stranger's process meanwhile.
    signal: (signal) => {
      if (isAlive()) process.kill(lock.pid, signal);
    },
    hasEndedWithin: async (ms, signal) => {
      const deadline = performance.now() + ms;
      while (isAlive()) {
        if (performance.now() >= deadline) return false;
        await sleep(100, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
      return true;
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process is the one that was locked: its start time, where the system tells it. */
function isSame(pid: number, started: string | null): boolean {
  if (started === null) return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22, counted behind the name in parentheses, which may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === started;
  } catch {
    return process.platform !== 'linux';
  }
}
