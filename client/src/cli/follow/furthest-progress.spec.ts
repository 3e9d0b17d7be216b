import { expect, test } from 'vitest';
import { FurthestProgress } from './furthest-progress.js';

test('a check that starts over does not move the bar back, a lost attempt does', () => {
  const furthest = new FurthestProgress();
  const ahead = (step: number) => furthest.isAhead({ step });
  expect([ahead(3), ahead(9), ahead(2), ahead(9), ahead(10)]).toEqual([
    true,
    true,
    false,
    true,
    true,
  ]);
  furthest.fallBack();
  expect(ahead(4)).toBe(true);
});
