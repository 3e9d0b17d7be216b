import { setTimeout as wait } from 'node:timers/promises';

/** Waits until `isSo` holds; fails after `deadlineMs` of real time. */
export async function eventually(isSo: () => boolean, deadlineMs = 5_000): Promise<void> {
  const untilMs = performance.now() + deadlineMs;
  while (!isSo()) {
    if (performance.now() > untilMs) throw new Error('it did not happen in time');
    await wait(5);
  }
}
