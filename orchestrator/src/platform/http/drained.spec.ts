import { EventEmitter } from 'node:events';
import type { Response } from 'express';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { drained } from './drained.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** As much of a response as matters here. */
class Answer extends EventEmitter {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}
const until = (answer: Answer) => drained(answer as unknown as Response);

test.each(['drain', 'close'])('a %s ends the wait, and nothing listens any more', async (event) => {
  const answer = new Answer();
  for (let i = 0; i < 20; i += 1) {
    const waiting = until(answer);
    answer.emit(event);
    await waiting;
  }
  expect([answer.listenerCount('drain'), answer.listenerCount('close')]).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(answer.destroyed).toBe(false);
});

test('a client that reads nothing for half a minute is cut off', async () => {
  const answer = new Answer();
  const waiting = until(answer);
  await vi.advanceTimersByTimeAsync(29_999);
  expect(answer.destroyed).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  expect(answer.destroyed).toBe(true);
});

test('who has left already is not waited for', async () => {
  const answer = new Answer();
  answer.destroy();
  await until(answer);
  expect(vi.getTimerCount()).toBe(0);
});
