import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimPlan } from './claim-plan.js';

const all = () => true;

test('neighbours share a transaction, and one alone has its own', () => {
  expect(claimPlan([0, 1, 7, 9, 40, 41], 10, all)).toEqual([
    { start: 0, height: 3, indexes: [0, 1, 7] },
    { start: 9, height: 0, indexes: [9] },
    { start: 40, height: 3, indexes: [40, 41] },
  ]);
});

test('what does not fit is halved until it does', () => {
  const small = ({ height }: { height: number }) => height < 2;
  expect(claimPlan([0, 1, 2, 7], 10, small)).toEqual([
    { start: 0, height: 1, indexes: [0, 1] },
    { start: 2, height: 0, indexes: [2] },
    { start: 7, height: 0, indexes: [7] },
  ]);
  expect(claimPlan([4, 5], 10, () => false)).toEqual([
    { start: 4, height: 0, indexes: [4] },
    { start: 5, height: 0, indexes: [5] },
  ]);
});

test('indexes on both sides of a page are paid by two transactions', () => {
  expect(claimPlan([1268, 1269, 1270, 1271], 11, all)).toEqual([
    { start: 1264, height: 3, indexes: [1268, 1269] },
    { start: 1264, height: 3, indexes: [1270, 1271] },
  ]);
});

test('a tree with one leaf has no subtrees', () => {
  expect(claimPlan([0], 0, all)).toEqual([{ start: 0, height: 0, indexes: [0] }]);
});

test('every index is planned once, inside its subtree', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(3_000), { maxLength: 60 }), fc.nat(3), (due, highest) => {
      const plan = claimPlan(due, 12, ({ height }) => height <= highest);
      expect(plan.flatMap(({ indexes }) => indexes).toSorted((a, b) => a - b)).toEqual(
        due.toSorted((a, b) => a - b),
      );
      for (const { start, height, indexes } of plan) {
        expect(start % 2 ** height).toBe(0);
        expect(indexes.every((index) => index >= start && index < start + 2 ** height)).toBe(true);
        expect(indexes.length === 1 || height <= highest).toBe(true);
      }
    }),
  );
});
