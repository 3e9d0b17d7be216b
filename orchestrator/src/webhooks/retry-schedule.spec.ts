import { expect, test } from 'vitest';
import { waitAfter } from './retry-schedule.js';

test('waits grow from seconds to hours', () => {
  const waits = [1, 2, 3, 8, 9, 50].map((tries) => waitAfter(tries, 0.5) / 1_000);
  expect(waits).toEqual([5, 15, 45, 10_935, 14_400, 14_400]);
});

test('and differ between endpoints that failed together', () => {
  expect([waitAfter(1, 0), waitAfter(1, 0.999_999)]).toEqual([4_000, 6_000]);
});

test('a day has room for about a dozen tries', () => {
  let tries = 0;
  for (let ms = 0; ms < 24 * 3_600_000; ms += waitAfter(tries, 0.5)) tries += 1;
  expect(tries).toBeGreaterThan(10);
  expect(tries).toBeLessThan(16);
});
