import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBuckets } from './token-buckets.js';

const allowed = (buckets: TokenBuckets, name: string, asked: number, nowMs: number): number =>
  Array.from({ length: asked }, () => buckets.take(name, nowMs)).filter((wait) => wait === 0)
    .length;

test('a name has its burst at once and its rate from then on', () => {
  const buckets = new TokenBuckets({ perSecond: 10, burst: 30 });
  expect(allowed(buckets, 'a', 100, 0)).toBe(30);
  expect(allowed(buckets, 'a', 100, 1_000)).toBe(10);
  expect(allowed(buckets, 'a', 100, 3_600_000)).toBe(30);
});

test('whoever is refused is told when the next token is there, and it is', () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 1 });
  expect(buckets.take('a', 0)).toBe(0);
  expect(buckets.take('a', 0)).toBe(500);
  expect(buckets.take('a', 100)).toBe(400);
  expect(buckets.take('a', 500)).toBe(0);
});

test('one name does not use up what another has', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 5 });
  allowed(buckets, 'greedy', 1_000, 0);
  expect(allowed(buckets, 'modest', 5, 0)).toBe(5);
});

test('what is given back can be taken again, and never fills above the burst', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 2 });
  allowed(buckets, 'a', 2, 0);
  buckets.giveBack('a');
  expect(allowed(buckets, 'a', 5, 0)).toBe(1);
  for (let i = 0; i < 10; i += 1) buckets.giveBack('a');
  expect(allowed(buckets, 'a', 5, 0)).toBe(2);
});

test('as many names as a stranger can think of take only so much room, and who asks stays known', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 100);
  buckets.take('flooder', 0);
  for (let i = 0; i < 1_000; i += 1) {
    buckets.take(`name ${i}`, 0);
    expect(buckets.take('flooder', 0)).toBeGreaterThan(0);
  }
});

test('no order of requests gets more than burst + rate × time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(2_000), { minLength: 1, maxLength: 300 }),
      (perSecond, burst, gaps) => {
        const buckets = new TokenBuckets({ perSecond, burst });
        let nowMs = 0;
        let through = 0;
        for (const gap of gaps) {
          nowMs += gap;
          if (buckets.take('a', nowMs) === 0) through += 1;
        }
        expect(through).toBeLessThanOrEqual(burst + (perSecond * nowMs) / 1_000 + 1e-6);
      },
    ),
  );
});
