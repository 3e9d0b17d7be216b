import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds; fails with what was waited for when the deadline passes. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`after ${deadlineMs} ms still not: ${what}`);
    await sleep(25);
  }
}
