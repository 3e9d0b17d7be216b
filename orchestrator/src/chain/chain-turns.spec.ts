import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Clock } from '../platform/clock.js';
import { ChainTurns } from './chain-turns.js';

class StillClock extends Clock {
  ms = 0;
  nowMs = () => this.ms;
  monotonicMs = () => this.ms;
}

test('a loop that fails is tried less and less often, says why, and forgets it when it works again', async () => {
  const clock = new StillClock();
  const turns = new ChainTurns(clock, pino({ level: 'silent' }));
  let isAway = true;
  const triedAt: number[] = [];
  const { turn } = turns.loop('chain.observe', 1_000, () => {
    triedAt.push(clock.ms);
    return isAway ? Promise.reject(new Error('no answer')) : Promise.resolve(true);
  });
  for (; clock.ms < 200_000; clock.ms += 500) await turn();
  expect(triedAt).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000]);
  expect(turns.failures()).toEqual([
    { name: 'chain.observe', failures: 9, since: new Date(0), error: 'Error: no answer' },
  ]);
  isAway = false;
  clock.ms = 250_000;
  expect(await turn()).toBe(true);
  expect(turns.failures()).toEqual([]);
});

test('one that fails holds no other back', async () => {
  const turns = new ChainTurns(new StillClock(), pino({ level: 'silent' }));
  await turns.loop('chain.post', 1_000, () => Promise.reject(new Error('no'))).turn();
  expect(await turns.loop('chain.send', 1_000, () => Promise.resolve(true)).turn()).toBe(true);
});
