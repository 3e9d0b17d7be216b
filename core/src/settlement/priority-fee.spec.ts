import { expect, test } from 'vitest';
import { priorityFee } from './priority-fee.js';

const RULE = { percentile: 75, floor: 100, ceiling: 10_000 };

test('the fee is what most others paid lately, whatever their order', () => {
  expect(priorityFee([400, 100, 300, 200], 0, RULE)).toBe(300);
});

test('it is at least the floor, also on a chain where nobody pays', () => {
  expect(priorityFee([], 0, RULE)).toBe(100);
  expect(priorityFee([0, 0, 1], 0, RULE)).toBe(100);
});

test('each try that found no room doubles it, up to the ceiling and no further', () => {
  const tries = [0, 1, 2, 6, 7, 1_000];
  expect(tries.map((count) => priorityFee([], count, RULE))).toEqual([
    100, 200, 400, 6_400, 10_000, 10_000,
  ]);
  expect(priorityFee([50_000], 0, RULE)).toBe(10_000);
});

test('without a floor it still rises', () => {
  expect(priorityFee([], 3, { ...RULE, floor: 0 })).toBe(8);
});
