import { expect, test } from 'vitest';
import { Backoff } from './reconnect.js';

const delays = (random: number, hasWork: boolean, count: number): number[] => {
  const backoff = new Backoff(() => random);
  return Array.from({ length: count }, () => backoff.nextDelayMs(hasWork));
};

test('delays double up to their bound', () => {
  expect(delays(1, false, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
});

test('with work at stake no delay is longer than two seconds', () => {
  expect(delays(1, true, 6)).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000]);
});

test('chance spreads a delay over the upper half of its bound', () => {
  expect(delays(0, false, 3)).toEqual([125, 250, 500]);
  expect(delays(0.5, false, 3)).toEqual([188, 375, 750]);
});

test('an outage of a year does not overflow', () => {
  expect(delays(1, false, 5_000).at(-1)).toBe(8_000);
});

test('a login starts the delays anew', () => {
  const backoff = new Backoff(() => 1);
  for (let i = 0; i < 5; i += 1) backoff.nextDelayMs(false);
  backoff.reset();
  expect(backoff.nextDelayMs(false)).toBe(250);
});
