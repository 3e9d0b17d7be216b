import {
  makeId,
  type AttemptId,
  type Resources,
  type TaskId,
  type WorkerId,
} from '@tidemill/protocol';
import type { Needs } from '../job/index.js';
import type { OpenWorker, QueuedTask } from '../scheduler/index.js';

/** Ids in order: the one of a lower number is older. */
const idOf = <K extends 'worker' | 'task' | 'attempt'>(kind: K, number: number) =>
  makeId(kind, 1_700_000_000_000 + number, new Uint8Array(10));
export const workerId = (number: number): WorkerId => idOf('worker', number);
export const taskId = (number: number): TaskId => idOf('task', number);
export const attemptId = (number: number): AttemptId => idOf('attempt', number);

export const NOTHING: Resources = {
  gpuMilli: 0,
  vramMib: 0,
  cpuMilli: 0,
  memoryMib: 0,
  diskMib: 0,
};

interface WorkerChanges extends Partial<Omit<OpenWorker, 'id' | 'capabilities'>> {
  readonly id?: number;
  readonly gpus?: number;
  readonly runtimes?: OpenWorker['capabilities']['runtimes'];
  readonly isolation?: OpenWorker['capabilities']['isolation'];
  readonly gpuModel?: string;
}

/** An idle worker of four cores that runs both runtimes for a tenth of a token an hour; say what is different. */
export function aWorker({
  id = 1,
  gpus = 0,
  runtimes,
  isolation,
  gpuModel,
  ...changes
}: WorkerChanges = {}): OpenWorker {
  const total = changes.total ?? {
    gpuMilli: gpus * 1_000,
    vramMib: gpus * 24_576,
    cpuMilli: 4_000,
    memoryMib: 8_192,
    diskMib: 16_384,
  };
  return {
    id: workerId(id),
    revision: 1,
    capabilities: {
      runtimes: runtimes ?? [
        { name: 'noop', class: 'noop/1' },
        { name: 'tfjs', class: 'tfjs/a' },
      ],
      isolation: isolation ?? 'sandbox',
      gpuModel: gpuModel ?? (gpus > 0 ? 'H100' : null),
      region: '',
      os: 'linux',
      agent: 'tidemill/0.1.0',
    },
    free: total,
    freeSlots: 16,
    operator: null,
    gpuAsk: 1_000_000n,
    cpuAsk: 100_000n,
    ...changes,
    total,
  };
}

interface TaskChanges extends Partial<Omit<QueuedTask, 'id' | 'needs'>> {
  readonly id?: number;
  readonly needs?: Partial<Omit<Needs, 'resources'>>;
  readonly resources?: Partial<Resources>;
}

/** A tfjs task that needs one core and runs once; say what is different. */
export function aTask({ id = 1, needs, resources, ...changes }: TaskChanges = {}): QueuedTask {
  return {
    id: taskId(id),
    fence: 0,
    priority: 1,
    needs: {
      runtime: 'tfjs',
      resources: { ...NOTHING, cpuMilli: 1_000, ...resources },
      gpuModels: [],
      isolation: 'none',
      ...needs,
    },
    family: null,
    runtimeClass: null,
    maxGpuAsk: null,
    maxCpuAsk: null,
    excluded: [],
    excludedOperators: [],
    preferred: null,
    ...changes,
  };
}
