import { expect, test } from 'vitest';
import { expectedStart, MIN_MEASURED, type QueueFacts } from './expected-start.js';

const measured = (p50: number, p90: number, count = MIN_MEASURED) => ({ count, p50, p90 });
const facts = (more: Partial<QueueFacts>): QueueFacts => ({
  suitable: 4,
  free: 0,
  running: 4,
  ahead: 0,
  starts: measured(100, 300),
  runs: measured(10_000, 20_000),
  ...more,
});

test('with a free worker and nothing ahead it starts as the newest jobs did', () => {
  expect(expectedStart(facts({ free: 1, running: 0 }))).toEqual({
    basis: 'warm',
    p50Ms: 100,
    p90Ms: 300,
  });
});

test.each([
  ['behind what runs', { ahead: 0 }, 2_500, 20_000],
  ['behind seven more', { ahead: 7 }, 20_000, 40_000],
  ['behind eight more on one machine', { ahead: 8, running: 1 }, 90_000, 180_000],
  ['behind one though a worker is free', { ahead: 1, free: 1, running: 1 }, 10_000, 20_000],
])('%s it starts after their turns', (_, more, p50Ms, p90Ms) => {
  expect(expectedStart(facts(more))).toEqual({ basis: 'queue', p50Ms, p90Ms });
});

test.each([
  ['nobody could run it', { suitable: 0, running: 0 }, 'No worker that is online'],
  ['too few jobs started', { free: 2, starts: measured(1, 1, 3) }, 'only 3 jobs have started'],
  ['too few attempts ended', { runs: measured(1, 1, 19) }, 'only 19 attempts have ended'],
  ['nothing runs and nothing is free', { ahead: 3, running: 0 }, '0 of 4 suitable'],
])('no figure is made up when %s', (_, more, reason) => {
  const start = expectedStart(facts(more));
  expect(start).toEqual({ basis: null, reason: expect.stringContaining(reason) });
});
