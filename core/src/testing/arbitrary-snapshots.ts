import { ISOLATION_LEVELS, type Resources } from '@tidemill/protocol';
import fc from 'fast-check';
import type { OpenWorker, QueuedTask, Snapshot } from '../scheduler/index.js';
import { taskId, workerId } from './builders.js';

const WORKERS = 6;
const TASKS = 14;

/** Few values, so that tasks compete for the same workers and ties are common. */
const amounts = (most: number): fc.Arbitrary<Resources> => {
  const some = fc.integer({ min: 0, max: most }).map((n) => n * 500);
  return fc.record({
    gpuMilli: some,
    vramMib: some,
    cpuMilli: some,
    memoryMib: some,
    diskMib: some,
  });
};
const anyWorkerId = fc.integer({ min: 1, max: WORKERS }).map(workerId);
const model = fc.constantFrom('H100', 'RTX 4090', 'RTX', '4090', 'a|b', 'a');
const ask = fc.bigInt({ min: 0n, max: 3n }).map((n) => n * 100_000n);
const limit = fc.option(ask, { freq: 2 });

const runtimes: fc.Arbitrary<OpenWorker['capabilities']['runtimes']> = fc.constantFrom(
  [{ name: 'noop' as const, class: 'noop/1' }],
  [{ name: 'tfjs' as const, class: 'a' }],
  [
    { name: 'tfjs' as const, class: 'b' },
    { name: 'noop' as const, class: 'a' },
  ],
  [
    { name: 'tfjs' as const, class: 'a' },
    { name: 'tfjs' as const, class: 'b' },
  ],
);

const workerOf = (number: number): fc.Arbitrary<OpenWorker> =>
  fc
    .record({
      capabilities: fc.record({
        runtimes,
        isolation: fc.constantFrom(...ISOLATION_LEVELS),
        gpuModel: fc.option(model),
        region: fc.constant(''),
        os: fc.constant('linux'),
        agent: fc.constant('tidemill/0.1.0'),
      }),
      total: amounts(6),
      used: amounts(3),
      freeSlots: fc.integer({ min: 0, max: 4 }),
      gpuAsk: ask,
      cpuAsk: ask,
      operator: fc.constantFrom(null, null, 'x', 'y'),
    })
    .map(({ total, used, ...rest }) => ({
      ...rest,
      id: workerId(number),
      revision: number,
      total,
      free: {
        gpuMilli: Math.max(0, total.gpuMilli - used.gpuMilli),
        vramMib: Math.max(0, total.vramMib - used.vramMib),
        cpuMilli: Math.max(0, total.cpuMilli - used.cpuMilli),
        memoryMib: Math.max(0, total.memoryMib - used.memoryMib),
        diskMib: Math.max(0, total.diskMib - used.diskMib),
      },
    }));

const taskOf = (number: number): fc.Arbitrary<QueuedTask> =>
  fc.record({
    id: fc.constant(taskId(number)),
    fence: fc.nat(3),
    priority: fc.integer({ min: 0, max: 2 }),
    needs: fc.record({
      runtime: fc.constantFrom('noop' as const, 'tfjs' as const),
      resources: amounts(2),
      gpuModels: fc.oneof(fc.constant([]), fc.uniqueArray(model, { maxLength: 3 })),
      isolation: fc.constantFrom('none' as const, 'none' as const, 'process' as const),
    }),
    family: fc.constantFrom(null, null, 'f', 'g'),
    runtimeClass: fc.constantFrom(null, null, 'a', 'b'),
    maxGpuAsk: limit,
    maxCpuAsk: limit,
    excluded: fc.oneof(fc.constant([]), fc.uniqueArray(anyWorkerId, { maxLength: 2 })),
    excludedOperators: fc.constantFrom([], [], ['x']),
    preferred: fc.option(anyWorkerId),
  });

const upTo = <T>(most: number, one: (number: number) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc
    .integer({ min: 0, max: most })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => one(i + 1))));

/** Views of small, crowded and varied networks. */
export const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({ queued: upTo(TASKS, taskOf), workers: upTo(WORKERS, workerOf) })
  .map(({ queued, workers }) => ({ workers, queued: inFamilies(queued) }));

/** Executions of one task ask for the same. */
function inFamilies(queued: readonly QueuedTask[]): QueuedTask[] {
  const first = new Map<string, QueuedTask>();
  return queued.map((task) => {
    if (task.family === null) return task;
    const model = first.get(task.family);
    if (model === undefined) {
      first.set(task.family, task);
      return task;
    }
    return { ...model, id: task.id, fence: task.fence };
  });
}
