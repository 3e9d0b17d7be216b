import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended } from '../process/guarded-spawn.js';
import { ProcessError, type RunningProcess, startProcess } from '../process/start-process.js';
import { appMain } from './apps.js';

const ONLINE_DEADLINE_MS = 60_000;

export interface WorkerOptions {
  readonly dir: string;
  readonly name: string;
  readonly orchestratorUrl: string;
  /** Flags of the agent by name, without dashes; these win over the usual ones. */
  readonly flags?: Readonly<Record<string, string>> | undefined;
}

/** One worker of the network. What it keeps (key, cache, outbox) outlives its process. */
export interface WorkerHandle {
  readonly name: string;
  readonly id: string;
  readonly pid: number;
  readonly stateDir: string;
  readonly logFile: string;
  /** Sends a signal to the process; false when it has ended. */
  kill(signal: NodeJS.Signals): boolean;
  /** Starts it anew, as the same worker, once its process has ended; stops it first if need be. */
  restart(): Promise<void>;
  stop(): Promise<Ended>;
}

/** Starts a worker and waits until the orchestrator counts it as online. */
export async function startWorker(options: WorkerOptions): Promise<WorkerHandle> {
  const stateDir = join(options.dir, 'workers', options.name);
  let { running, id } = await launch(options, stateDir);
  return {
    name: options.name,
    stateDir,
    get id() {
      return id;
    },
    get pid() {
      return running.pid;
    },
    logFile: running.logFile,
    kill: (signal) => running.signal(signal),
    restart: async () => {
      await running.stop();
      ({ running, id } = await launch(options, stateDir));
    },
    stop: () => running.stop(),
  };
}

async function launch(
  { dir, name, orchestratorUrl, flags = {} }: WorkerOptions,
  stateDir: string,
): Promise<{ running: RunningProcess; id: string }> {
  const settings = {
    orchestrator: orchestratorUrl,
    'state-dir': stateDir,
    key: join(stateDir, 'key.json'),
    name,
    'cpu-millis': '600',
    'memory-mib': '1024',
    slots: '1',
    'ask-cpu-hour': '0.05',
    'drain-grace': '2',
    ...flags,
  };
  const startedMs = Date.now();
  const running = await startProcess({
    name,
    command: process.execPath,
    args: [
      appMain('@tidemill/worker'),
      ...Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]),
    ],
    logFile: join(dir, 'logs', `${name}.log`),
    readyWhen: { line: /./ },
  });
  try {
    return { running, id: await online(orchestratorUrl, running, startedMs) };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

interface ListedWorker {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly lastSeenAt: string | null;
}

/** The id of the worker once it was seen since its start: the row of an earlier run may still say online. */
async function online(url: string, running: RunningProcess, startedMs: number): Promise<string> {
  const ended = running.ended.then(() => 'ended' as const);
  const deadline = performance.now() + ONLINE_DEADLINE_MS;
  while (performance.now() < deadline) {
    const found = (await listed(url)).find(
      ({ name, state, lastSeenAt }) =>
        name === running.name && state === 'online' && Date.parse(lastSeenAt ?? '') >= startedMs,
    );
    if (found !== undefined) return found.id;
    if ((await Promise.race([ended, sleep(100)])) === 'ended') {
      throw new ProcessError(`${running.name} ended; its log is ${running.logFile}`);
    }
  }
  throw new ProcessError(
    `${running.name} was not seen online within ${ONLINE_DEADLINE_MS} ms; its log is ${running.logFile}`,
  );
}

async function listed(url: string): Promise<readonly ListedWorker[]> {
  const response = await fetch(`${url}/v1/workers?limit=200`, {
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`${url}/v1/workers answered ${response.status}`);
  const { items } = (await response.json()) as { items: readonly ListedWorker[] };
  return items;
}
