import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from './expectation.js';

const POLL_MS = 250;

/** Asks until the answer is yes; what is promised did not happen when it is still no at the end. */
export async function until(
  promise: string,
  ask: () => Promise<boolean>,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await ask())) {
    expect(performance.now() < deadline, promise, `after ${withinMs / 1000} s it has not`);
    await sleep(POLL_MS);
  }
}
