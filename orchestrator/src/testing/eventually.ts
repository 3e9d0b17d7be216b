import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds; fails with what is said then. */
export async function eventually(
  otherwise: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(typeof otherwise === 'string' ? otherwise : otherwise());
    await sleep(25);
  }
}
