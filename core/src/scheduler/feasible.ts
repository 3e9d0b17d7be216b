import { isolatesAtLeast } from '../job/index.js';
import type { OpenWorker, QueuedTask } from './snapshot.js';

/** A hard rule: what it asks of a worker, and what the submitter could relax. The order is the order of counting. */
interface Constraint {
  readonly name: string;
  readonly relax: string | null;
  readonly holds: (task: QueuedTask, worker: OpenWorker) => boolean;
}

/** What a worker is: it does not change while others' work ends. */
const LASTING: readonly Constraint[] = [
  {
    name: 'runtime',
    relax: null,
    holds: (task, worker) =>
      worker.capabilities.runtimes.some(({ name }) => name === task.needs.runtime),
  },
  {
    name: 'runtime_class',
    relax: 'verify: none frees copies from running on one kind of machine',
    holds: (task, worker) =>
      task.runtimeClass === null ||
      runtimeClassOf(worker, task.needs.runtime) === task.runtimeClass,
  },
  {
    name: 'isolation',
    relax: 'resources.isolation',
    holds: (task, worker) => isolatesAtLeast(worker.capabilities.isolation, task.needs.isolation),
  },
  {
    name: 'gpu_model',
    relax: 'resources.gpuModels',
    holds: ({ needs }, worker) =>
      needs.gpuModels.length === 0 || needs.gpuModels.includes(worker.capabilities.gpuModel ?? ''),
  },
  {
    name: 'gpus',
    relax: 'resources.gpus',
    holds: ({ needs }, worker) => needs.resources.gpuMilli <= worker.total.gpuMilli,
  },
  {
    name: 'vram',
    relax: 'resources.vram',
    holds: ({ needs }, worker) => needs.resources.vramMib <= worker.total.vramMib,
  },
  {
    name: 'cpu',
    relax: 'resources.cpu',
    holds: ({ needs }, worker) => needs.resources.cpuMilli <= worker.total.cpuMilli,
  },
  {
    name: 'memory',
    relax: 'resources.memory',
    holds: ({ needs }, worker) => needs.resources.memoryMib <= worker.total.memoryMib,
  },
  {
    name: 'disk',
    relax: 'resources.disk',
    holds: ({ needs }, worker) => needs.resources.diskMib <= worker.total.diskMib,
  },
  {
    name: 'price',
    relax: 'limits.maxPricePerGpuHour or limits.maxPricePerCpuHour',
    holds: (task, worker) =>
      (askLimit(task) ?? MAX) >= (usesGpu(task) ? worker.gpuAsk : worker.cpuAsk),
  },
  {
    name: 'other_copy',
    relax: 'verify: none',
    holds: (task, worker) =>
      !task.excluded.includes(worker.id) &&
      (worker.operator === null || !task.excludedOperators.includes(worker.operator)),
  },
];

/** What a worker has left at the moment. */
const MOMENTARY: Constraint = {
  name: 'busy',
  relax: null,
  holds: ({ needs: { resources } }, { free, freeSlots }) =>
    freeSlots > 0 &&
    resources.gpuMilli <= free.gpuMilli &&
    resources.vramMib <= free.vramMib &&
    resources.cpuMilli <= free.cpuMilli &&
    resources.memoryMib <= free.memoryMib &&
    resources.diskMib <= free.diskMib,
};

const MAX = 2n ** 63n;
const usesGpu = (task: QueuedTask): boolean => task.needs.resources.gpuMilli > 0;
const askLimit = (task: QueuedTask): bigint | null =>
  usesGpu(task) ? task.maxGpuAsk : task.maxCpuAsk;

/** The class a worker's results of this runtime are compared in. */
export function runtimeClassOf(
  worker: Pick<OpenWorker, 'capabilities'>,
  runtime: string,
): string | null {
  return worker.capabilities.runtimes.find(({ name }) => name === runtime)?.class ?? null;
}

/** A constraint and how many workers it removed; a worker counts with the first one it breaks. */
export interface Removed {
  readonly constraint: string;
  readonly removed: number;
  readonly relax: string | null;
}

/** The workers that could ever run the task, and what removed the others. */
export function suitable(
  task: QueuedTask,
  workers: readonly OpenWorker[],
): { suitable: OpenWorker[]; removedBy: Removed[] } {
  const counts = new Map<string, number>();
  const fitting: OpenWorker[] = [];
  for (const worker of workers) {
    const broken = LASTING.find((constraint) => !constraint.holds(task, worker));
    if (broken === undefined) fitting.push(worker);
    else counts.set(broken.name, (counts.get(broken.name) ?? 0) + 1);
  }
  return { suitable: fitting, removedBy: inOrder(counts) };
}

/** Whether the worker has room for the task now. */
export function hasRoom(task: QueuedTask, worker: OpenWorker): boolean {
  return MOMENTARY.holds(task, worker);
}

function inOrder(counts: ReadonlyMap<string, number>): Removed[] {
  return [...LASTING, MOMENTARY].flatMap(({ name, relax }) => {
    const removed = counts.get(name);
    return removed === undefined ? [] : [{ constraint: name, removed, relax }];
  });
}
