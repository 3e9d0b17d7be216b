import { ISOLATION_LEVELS, type Resources } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { snapshots } from '../testing/arbitrary-snapshots.js';
import { NOTHING } from '../testing/builders.js';
import { place, type Plan } from './place.js';
import type { OpenWorker, QueuedTask, Snapshot } from './snapshot.js';

const runs = { numRuns: 400 };

const plus = (a: Resources, b: Resources): Resources => ({
  gpuMilli: a.gpuMilli + b.gpuMilli,
  vramMib: a.vramMib + b.vramMib,
  cpuMilli: a.cpuMilli + b.cpuMilli,
  memoryMib: a.memoryMib + b.memoryMib,
  diskMib: a.diskMib + b.diskMib,
});
const within = (a: Resources, b: Resources): boolean =>
  a.gpuMilli <= b.gpuMilli &&
  a.vramMib <= b.vramMib &&
  a.cpuMilli <= b.cpuMilli &&
  a.memoryMib <= b.memoryMib &&
  a.diskMib <= b.diskMib;

/** The hard rules once more, in words of their own. */
function mayRun(
  { needs, maxGpuAsk, maxCpuAsk, excluded, excludedOperators, runtimeClass }: QueuedTask,
  worker: OpenWorker,
): boolean {
  const { runtimes, isolation, gpuModel } = worker.capabilities;
  const runtime = runtimes.find(({ name }) => name === needs.runtime);
  const [ask, limit] =
    needs.resources.gpuMilli > 0 ? [worker.gpuAsk, maxGpuAsk] : [worker.cpuAsk, maxCpuAsk];
  return (
    runtime !== undefined &&
    (runtimeClass === null || runtime.class === runtimeClass) &&
    ISOLATION_LEVELS.indexOf(isolation) >= ISOLATION_LEVELS.indexOf(needs.isolation) &&
    (needs.gpuModels.length === 0 || (gpuModel !== null && needs.gpuModels.includes(gpuModel))) &&
    within(needs.resources, worker.total) &&
    (limit === null || ask <= limit) &&
    !excluded.includes(worker.id) &&
    (worker.operator === null || !excludedOperators.includes(worker.operator))
  );
}

/** Each placed task with its worker. */
function pairs(
  { queued, workers }: Snapshot,
  { placements }: Plan,
): { task: QueuedTask; worker: OpenWorker }[] {
  return placements.flatMap(({ taskId, workerId }) => {
    const task = queued.find(({ id }) => id === taskId);
    const worker = workers.find(({ id }) => id === workerId);
    return task === undefined || worker === undefined ? [] : [{ task, worker }];
  });
}

function freeAfter(
  worker: OpenWorker,
  placed: readonly { task: QueuedTask; worker: OpenWorker }[],
) {
  const mine = placed.filter((pair) => pair.worker === worker);
  const used = mine.reduce((sum, { task }) => plus(sum, task.needs.resources), NOTHING);
  return { used, count: mine.length };
}

test('every task is placed or says why it was not, once', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      const plan = place(view);
      const ids = [...plan.placements, ...plan.unplaced].map(({ taskId }) => taskId);
      expect(ids.sort()).toEqual(view.queued.map(({ id }) => id).sort());
    }),
    runs,
  );
});

test('a plan never exceeds a worker', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      const placed = pairs(view, place(view));
      for (const worker of view.workers) {
        const { used, count } = freeAfter(worker, placed);
        expect(within(used, worker.free)).toBe(true);
        expect(count).toBeLessThanOrEqual(worker.freeSlots);
      }
    }),
    runs,
  );
});

test('no task lands on a worker that a hard rule forbids', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      for (const { task, worker } of pairs(view, place(view)))
        expect(mayRun(task, worker)).toBe(true);
    }),
    runs,
  );
});

test('a plan does not depend on the order rows arrive in', () => {
  const shuffled = snapshots.chain((view) =>
    fc.record({
      view: fc.constant(view),
      queued: fc.shuffledSubarray([...view.queued], { minLength: view.queued.length }),
      workers: fc.shuffledSubarray([...view.workers], { minLength: view.workers.length }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ view, queued, workers }) => {
      expect(place({ queued, workers })).toEqual(place(view));
    }),
    runs,
  );
});

test('the view it decides on stays as it was', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      const before = structuredClone(view);
      place(view);
      expect(view).toEqual(before);
    }),
  );
});

test('copies of one task go to different workers, all in one runtime class', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      const placed = pairs(view, place(view));
      for (const family of new Set(placed.map(({ task }) => task.family))) {
        if (family === null) continue;
        const copies = placed.filter(({ task }) => task.family === family);
        expect(new Set(copies.map(({ worker }) => worker.id)).size).toBe(copies.length);
        const operators = copies.flatMap(({ worker }) => worker.operator ?? []);
        expect(new Set(operators).size).toBe(operators.length);
        const classes = copies.map(
          ({ task, worker }) =>
            worker.capabilities.runtimes.find(({ name }) => name === task.needs.runtime)?.class,
        );
        expect(new Set(classes).size).toBe(1);
      }
    }),
    runs,
  );
});

test('a task that asks for no more is never passed over for one of lower priority, or a younger one', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      const plan = place(view);
      const placed = pairs(view, plan);
      const asks = ({ needs, maxGpuAsk, maxCpuAsk, ...task }: QueuedTask) =>
        JSON.stringify([
          ...[needs, String(maxGpuAsk), String(maxCpuAsk)],
          ...[task.excluded, task.excludedOperators, task.runtimeClass],
        ]);
      for (const { taskId } of plan.unplaced) {
        const waiting = view.queued.find(({ id }) => id === taskId);
        if (waiting === undefined || waiting.family !== null) continue;
        for (const { task } of placed) {
          if (task.family !== null || asks(task) !== asks(waiting)) continue;
          expect(
            task.priority > waiting.priority ||
              (task.priority === waiting.priority && task.id < waiting.id),
          ).toBe(true);
        }
      }
    }),
    runs,
  );
});

test('a task that stays has a true reason', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      const plan = place(view);
      const placed = pairs(view, plan);
      for (const { taskId, reason, removedBy } of plan.unplaced) {
        const task = view.queued.find(({ id }) => id === taskId);
        if (task === undefined || task.family !== null) continue;
        const suitable = view.workers.filter((worker) => mayRun(task, worker));
        expect(reason).toBe(suitable.length === 0 ? 'no_suitable_worker' : 'all_suitable_busy');
        expect(removedBy.reduce((sum, { removed }) => sum + removed, 0)).toBe(
          view.workers.length - suitable.length,
        );
        for (const worker of suitable) {
          const { used, count } = freeAfter(worker, placed);
          expect(
            count >= worker.freeSlots || !within(plus(used, task.needs.resources), worker.free),
          ).toBe(true);
        }
      }
    }),
    runs,
  );
});

test('a placement says what it was chosen from: counts that add up, and the best candidates in order', () => {
  fc.assert(
    fc.property(snapshots, (view) => {
      for (const {
        taskId,
        fence,
        workerId,
        revision,
        considered,
        removedBy,
        busy,
        candidates,
      } of place(view).placements) {
        const removed = removedBy.reduce((sum, one) => sum + one.removed, 0);
        const open = considered - removed - busy;
        expect(considered).toBe(view.workers.length);
        expect(fence).toBe(view.queued.find(({ id }) => id === taskId)?.fence);
        expect(revision).toBe(view.workers.find(({ id }) => id === workerId)?.revision);
        expect(candidates).toHaveLength(Math.min(open, 3));
        expect(candidates[0]?.workerId).toBe(workerId);
        expect(candidates.every(({ score }) => Number.isSafeInteger(score))).toBe(true);
        const sorted = [...candidates].sort(
          (a, b) => b.score - a.score || (a.workerId < b.workerId ? -1 : 1),
        );
        expect(candidates).toEqual(sorted);
      }
    }),
    runs,
  );
});
