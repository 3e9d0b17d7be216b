import { MAX_MONEY } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { snapshots } from '../testing/arbitrary-snapshots.js';
import { aTask, aWorker } from '../testing/builders.js';
import { score, scoreTerms } from './score.js';

const given = fc.integer({ min: 0, max: 300 });

test('a score is a whole number and the sum of its terms', () => {
  fc.assert(
    fc.property(snapshots, given, ({ queued, workers }, already) => {
      for (const task of queued) {
        for (const worker of workers) {
          const terms = scoreTerms(task, worker, already);
          expect(terms.every(({ points }) => Number.isSafeInteger(points))).toBe(true);
          expect(score(task, worker, already)).toBe(
            terms.reduce((sum, { points }) => sum + points, 0),
          );
          expect(new Set(terms.map(({ name }) => name)).size).toBe(terms.length);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('the cheaper of two equal workers scores at least as much, at any ask a worker may have', () => {
  const ask = fc.bigInt({ min: 0n, max: MAX_MONEY });
  fc.assert(
    fc.property(ask, ask, given, (a, b, already) => {
      const [cheap, dear] = a < b ? [a, b] : [b, a];
      const of = (cpuAsk: bigint) => score(aTask(), aWorker({ cpuAsk }), already);
      expect(of(cheap)).toBeGreaterThanOrEqual(of(dear));
      expect(Number.isSafeInteger(of(dear))).toBe(true);
    }),
  );
});

test('the freer of two equal workers scores at least as much', () => {
  const { total } = aWorker();
  fc.assert(
    fc.property(fc.nat(4_000), fc.nat(4_000), (a, b) => {
      const of = (cpuMilli: number) => score(aTask(), aWorker({ free: { ...total, cpuMilli } }), 0);
      expect(of(Math.max(a, b))).toBeGreaterThanOrEqual(of(Math.min(a, b)));
    }),
  );
});

test('a worker without a core to its name has a score too', () => {
  const none = { gpuMilli: 0, vramMib: 0, cpuMilli: 0, memoryMib: 0, diskMib: 0 };
  expect(Number.isSafeInteger(score(aTask(), aWorker({ total: none, free: none }), 0))).toBe(true);
});
