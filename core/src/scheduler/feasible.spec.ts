import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { snapshots } from '../testing/arbitrary-snapshots.js';
import { aTask, aWorker, workerId } from '../testing/builders.js';
import { hasRoom, runtimeClassOf, suitable } from './feasible.js';

const removedBy = (
  task: Parameters<typeof suitable>[0],
  worker: Parameters<typeof suitable>[1][number],
) => suitable(task, [worker]).removedBy;

test.each([
  ['runtime', aTask(), aWorker({ runtimes: [{ name: 'noop', class: 'noop/1' }] }), null],
  [
    'runtime_class',
    aTask({ runtimeClass: 'tfjs/b' }),
    aWorker(),
    'verify: none frees copies from running on one kind of machine',
  ],
  [
    'isolation',
    aTask({ needs: { isolation: 'sandbox' } }),
    aWorker({ isolation: 'process' }),
    'resources.isolation',
  ],
  [
    'gpu_model',
    aTask({ needs: { gpuModels: ['A100'] } }),
    aWorker({ gpus: 1 }),
    'resources.gpuModels',
  ],
  ['gpu_model', aTask({ needs: { gpuModels: ['A100'] } }), aWorker(), 'resources.gpuModels'],
  ['gpus', aTask({ resources: { gpuMilli: 1_001 } }), aWorker({ gpus: 1 }), 'resources.gpus'],
  ['vram', aTask({ resources: { vramMib: 24_577 } }), aWorker({ gpus: 1 }), 'resources.vram'],
  ['cpu', aTask({ resources: { cpuMilli: 4_001 } }), aWorker(), 'resources.cpu'],
  ['memory', aTask({ resources: { memoryMib: 8_193 } }), aWorker(), 'resources.memory'],
  ['disk', aTask({ resources: { diskMib: 16_385 } }), aWorker(), 'resources.disk'],
  [
    'price',
    aTask({ maxCpuAsk: 99_999n }),
    aWorker(),
    'limits.maxPricePerGpuHour or limits.maxPricePerCpuHour',
  ],
  [
    'price',
    aTask({ maxGpuAsk: 999_999n, resources: { gpuMilli: 1 } }),
    aWorker({ gpus: 1 }),
    'limits.maxPricePerGpuHour or limits.maxPricePerCpuHour',
  ],
  ['other_copy', aTask({ excluded: [workerId(1)] }), aWorker(), 'verify: none'],
  ['other_copy', aTask({ excludedOperators: ['x'] }), aWorker({ operator: 'x' }), 'verify: none'],
])('%s removes a worker, and says what could be relaxed', (constraint, task, worker, relax) => {
  expect(removedBy(task, worker)).toEqual([{ constraint, removed: 1, relax }]);
});

test.each([
  [
    'exactly what it needs',
    aTask({ resources: { cpuMilli: 4_000, memoryMib: 8_192, diskMib: 16_384 } }),
    aWorker(),
  ],
  ['exactly the price', aTask({ maxCpuAsk: 100_000n }), aWorker()],
  [
    'a stronger isolation',
    aTask({ needs: { isolation: 'process' } }),
    aWorker({ isolation: 'sandbox' }),
  ],
  ['one of the models', aTask({ needs: { gpuModels: ['A100', 'H100'] } }), aWorker({ gpus: 1 })],
  ['a GPU price that does not matter', aTask({ maxGpuAsk: 0n }), aWorker({ gpus: 1 })],
])('a worker with %s suits', (_, task, worker) => {
  expect(suitable(task, [worker])).toEqual({ suitable: [worker], removedBy: [] });
});

test('a worker counts with the first rule it breaks', () => {
  const task = aTask({ resources: { cpuMilli: 9_000, memoryMib: 99_000 }, maxCpuAsk: 0n });
  expect(removedBy(task, aWorker()).map(({ constraint }) => constraint)).toEqual(['cpu']);
});

test('counts add up to the workers removed', () => {
  fc.assert(
    fc.property(snapshots, ({ queued, workers }) => {
      for (const task of queued) {
        const found = suitable(task, workers);
        const removed = found.removedBy.reduce((sum, one) => sum + one.removed, 0);
        expect(removed + found.suitable.length).toBe(workers.length);
        expect(found.removedBy.every((one) => one.removed > 0)).toBe(true);
        expect(new Set(found.removedBy.map(({ constraint }) => constraint)).size).toBe(
          found.removedBy.length,
        );
      }
    }),
  );
});

describe('room', () => {
  const { total } = aWorker({ gpus: 1 });
  const whole = aTask({ resources: { ...total } });

  test('is there when all of it is free', () => {
    expect(hasRoom(whole, aWorker({ gpus: 1 }))).toBe(true);
  });

  test.each(Object.keys(total) as (keyof typeof total)[])(
    'is not there when a little of %s is used',
    (name) => {
      expect(
        hasRoom(whole, aWorker({ gpus: 1, free: { ...total, [name]: total[name] - 1 } })),
      ).toBe(false);
    },
  );

  test('is not there without a slot, whatever is free', () => {
    expect(hasRoom(aTask({ resources: { cpuMilli: 0 } }), aWorker({ freeSlots: 0 }))).toBe(false);
  });
});

test('the class of a runtime is that of its first entry, or none', () => {
  const worker = aWorker({
    runtimes: [
      { name: 'tfjs', class: 'x' },
      { name: 'tfjs', class: 'y' },
    ],
  });
  expect(runtimeClassOf(worker, 'tfjs')).toBe('x');
  expect(runtimeClassOf(worker, 'noop')).toBeNull();
});
