import { expect, test } from 'vitest';
import { attemptLimitMs, billableMs, defaultMaxAsk, feeOf, holdOf, priceOf } from './price.js';

const asks = { gpuHour: 1_200_000n, cpuHour: 60_000n };
const NO_CAP = 10n ** 15n;

test.each([
  ['an hour of a GPU', { gpuMilli: 1_000, cpuMilli: 8_000 }, 3_600_000, 1_200_000n],
  ['half an hour of a quarter', { gpuMilli: 250, cpuMilli: 8_000 }, 1_800_000, 150_000n],
  ['an hour of two cores', { gpuMilli: 0, cpuMilli: 2_000 }, 3_600_000, 120_000n],
  ['a second of a core', { gpuMilli: 0, cpuMilli: 1_000 }, 1_000, 16n],
  ['a millisecond of a core', { gpuMilli: 0, cpuMilli: 1_000 }, 1, 0n],
  ['no time', { gpuMilli: 1_000, cpuMilli: 0 }, 0, 0n],
])('%s costs so much', (_, needs, ms, price) => {
  expect(priceOf(needs, asks, ms, NO_CAP)).toBe(price);
});

test('a price stops at the cap', () => {
  expect(priceOf({ gpuMilli: 1_000, cpuMilli: 0 }, asks, 3_600_000, 1_000n)).toBe(1_000n);
});

test.each([
  [1_000, 900, 5_000, 900],
  [800, 900, 5_000, 800],
  [9_000, 9_000, 5_000, 5_000],
  [1_000, 999.9, 5_000, 999],
  [1_000, -5, 5_000, 0],
])(
  'of a meter of %i ms, %d ms seen and %i ms allowed, %i ms are billed',
  (meter, seen, allowed, billed) => {
    expect(billableMs(meter, seen, allowed)).toBe(billed);
  },
);

test.each([
  [1_000_000n, 250, 25_000n],
  [39n, 250, 0n],
  [40n, 250, 1n],
  [100n, 0, 0n],
  [100n, 10_000, 100n],
])('of %s base units a fee of %i basis points is %s', (price, bps, fee) => {
  expect(feeOf(price, bps)).toBe(fee);
});

test.each([
  ['as long as the job allows, where the hold lasts longer', 'primary', 2_400_000n, 3_600_000],
  ['as long as the hold lasts at its asks', 'primary', 300_000n, 900_000],
  ['a replica as long as its own part of it', 'replica', 100_000n, 300_000],
  ['a second at least', 'primary', 1n, 1_000],
  ['a check as long as the job allows', 'audit', 1n, 3_600_000],
] as const)('an attempt runs %s', (_, role, cap, ms) => {
  const needs = { gpuMilli: 1_000, cpuMilli: 0 };
  const limit = attemptLimitMs(3_600_000, role, cap, needs, asks);
  expect(limit).toBe(ms);
  if (ms < 3_600_000 && ms > 1_000)
    expect(priceOf(needs, asks, limit, NO_CAP)).toBeLessThanOrEqual(cap);
});

test('an attempt that costs nothing runs as long as its job allows', () => {
  const free = { gpuHour: 0n, cpuHour: 0n };
  expect(attemptLimitMs(5_000, 'primary', 0n, { gpuMilli: 0, cpuMilli: 4_000 }, free)).toBe(5_000);
});

test('a hold is rounded up for each execution', () => {
  expect(holdOf({ gpuMilli: 0, cpuMilli: 1 }, 1n, 1, 1)).toBe(1n);
  expect(holdOf({ gpuMilli: 0, cpuMilli: 1 }, 1n, 1, 3)).toBe(3n);
  expect(holdOf({ gpuMilli: 1_000, cpuMilli: 4_000 }, 1_200_000n, 3_600_000, 2)).toBe(2_400_000n);
});

test.each([
  [[], null],
  [[100n], 150n],
  [[100n, 200n], 150n],
  [[300n, 100n, 200n], 300n],
  [[1n, 1n, 1n, 1_000_000n], 1n],
  [[0n], 0n],
])('the default limit of an ask, case %#', (all, limit) => {
  expect(defaultMaxAsk(all)).toBe(limit);
});
