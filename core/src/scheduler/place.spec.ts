import { expect, test } from 'vitest';
import { aTask, aWorker, taskId, workerId } from '../testing/builders.js';
import { place } from './place.js';
import type { OpenWorker, QueuedTask } from './snapshot.js';

const whereTo = (queued: QueuedTask[], workers: OpenWorker[]) =>
  Object.fromEntries(
    place({ queued, workers }).placements.map((placement) => [
      placement.taskId,
      placement.workerId,
    ]),
  );

test('nothing to place, or nobody to place it on, is a plan too', () => {
  expect(place({ queued: [], workers: [aWorker()] })).toEqual({ placements: [], unplaced: [] });
  expect(place({ queued: [aTask()], workers: [] }).unplaced).toEqual([
    { taskId: taskId(1), reason: 'no_suitable_worker', removedBy: [] },
  ]);
});

test('the cheaper worker gets the task', () => {
  const workers = [aWorker({ id: 1, cpuAsk: 500_000n }), aWorker({ id: 2, cpuAsk: 100_000n })];
  expect(whereTo([aTask()], workers)).toEqual({ [taskId(1)]: workerId(2) });
});

test('a task with a GPU looks at the price of GPUs', () => {
  const workers = [
    aWorker({ id: 1, gpus: 1, gpuAsk: 900_000n, cpuAsk: 1n }),
    aWorker({ id: 2, gpus: 1, gpuAsk: 800_000n, cpuAsk: 900_000n }),
  ];
  expect(whereTo([aTask({ resources: { gpuMilli: 1_000 } })], workers)).toEqual({
    [taskId(1)]: workerId(2),
  });
});

test('of equal workers the one with the lower id gets it', () => {
  expect(whereTo([aTask()], [aWorker({ id: 2 }), aWorker({ id: 1 })])).toEqual({
    [taskId(1)]: workerId(1),
  });
});

test('a task goes to the worker that holds its checkpoint, though another is as cheap and freer', () => {
  const { total } = aWorker();
  const workers = [aWorker({ id: 1 }), aWorker({ id: 2, free: { ...total, cpuMilli: 1_000 } })];
  expect(whereTo([aTask({ preferred: workerId(2) })], workers)).toEqual({
    [taskId(1)]: workerId(2),
  });
});

test('the more urgent task gets the last place, and the older one among equals', () => {
  const last = aWorker({ freeSlots: 1 });
  expect(whereTo([aTask({ id: 1, priority: 0 }), aTask({ id: 2, priority: 2 })], [last])).toEqual({
    [taskId(2)]: workerId(1),
  });
  expect(whereTo([aTask({ id: 2 }), aTask({ id: 1 })], [last])).toEqual({
    [taskId(1)]: workerId(1),
  });
});

test('a smaller task behind one that does not fit is still placed', () => {
  const queued = [aTask({ id: 1, priority: 2, resources: { cpuMilli: 64_000 } }), aTask({ id: 2 })];
  const plan = place({ queued, workers: [aWorker()] });
  expect(plan.placements.map((placement) => placement.taskId)).toEqual([taskId(2)]);
  expect(plan.unplaced).toEqual([
    {
      taskId: taskId(1),
      reason: 'no_suitable_worker',
      removedBy: [{ constraint: 'cpu', removed: 1, relax: 'resources.cpu' }],
    },
  ]);
});

test('when all that could run it are busy, the task says so', () => {
  const workers = [
    aWorker({ id: 1, freeSlots: 0 }),
    aWorker({ id: 2, runtimes: [{ name: 'noop', class: 'noop/1' }] }),
  ];
  expect(place({ queued: [aTask()], workers }).unplaced).toMatchObject([
    { reason: 'all_suitable_busy', removedBy: [{ constraint: 'runtime', removed: 1 }] },
  ]);
});

test('models whose names only look alike are told apart', () => {
  const worker = aWorker({ gpus: 4, gpuModel: 'RTX 4090' });
  const asking = (id: number, gpuModels: string[]) => aTask({ id, needs: { gpuModels } });
  expect(whereTo([asking(1, ['RTX 4090']), asking(2, ['RTX', '4090'])], [worker])).toEqual({
    [taskId(1)]: workerId(1),
  });
});

test('a copy does not run in another class because another runtime of the worker has that name', () => {
  const misnamed = aWorker({
    runtimes: [
      { name: 'tfjs', class: 'tfjs/b' },
      { name: 'noop', class: 'tfjs/a' },
    ],
  });
  expect(
    place({ queued: [aTask({ runtimeClass: 'tfjs/a' })], workers: [misnamed] }).unplaced,
  ).toMatchObject([{ removedBy: [{ constraint: 'runtime_class', removed: 1 }] }]);
});

test('copies of one task wait rather than share a worker', () => {
  const copies = [
    aTask({ id: 1, family: 'f' }),
    aTask({ id: 2, family: 'f' }),
    aTask({ id: 3, family: 'f' }),
  ];
  const plan = place({ queued: copies, workers: [aWorker({ id: 1 }), aWorker({ id: 2 })] });
  expect(plan.placements.map((placement) => placement.workerId)).toEqual([
    workerId(1),
    workerId(2),
  ]);
  expect(plan.unplaced).toMatchObject([
    { taskId: taskId(3), removedBy: [{ constraint: 'other_copy', removed: 2 }] },
  ]);
});

test('executions of one task go to machines of different operators', () => {
  const copies = [aTask({ id: 1, family: 'f' }), aTask({ id: 2, family: 'f' })];
  const workers = [
    aWorker({ id: 1, operator: 'x' }),
    aWorker({ id: 2, operator: 'x' }),
    aWorker({ id: 3 }),
  ];
  const plan = place({ queued: copies, workers });
  expect(plan.placements.map((placement) => placement.workerId)).toEqual([
    workerId(1),
    workerId(3),
  ]);
});

test('a thousand tasks find places on two hundred workers in one turn', () => {
  const queued = Array.from({ length: 1_000 }, (_, i) =>
    aTask({ id: i, resources: { cpuMilli: 500 } }),
  );
  const workers = Array.from({ length: 200 }, (_, i) =>
    aWorker({ id: i, cpuAsk: BigInt(100_000 + (i % 7) * 1_000) }),
  );
  const plan = place({ queued, workers });
  expect(plan.unplaced).toEqual([]);
  expect(plan.placements).toHaveLength(1_000);
});
