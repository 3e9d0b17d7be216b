import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterEnd, DEFAULT_RETRIES, type AttemptEnd } from './retry.js';

const costly: readonly AttemptEnd[] = ['lost', 'worker_fault', 'rejected'];
const free: readonly AttemptEnd[] = ['refused', 'offer_timeout', 'preempted'];

test.each(costly)(
  'an attempt that is %s uses up one try, and the last one fails the task',
  (end) => {
    expect(afterEnd(end, 1, 4)).toEqual({ retry: true, costsRetry: true });
    expect(afterEnd(end, 3, 4)).toEqual({ retry: true, costsRetry: true });
    expect(afterEnd(end, 4, 4)).toEqual({ retry: false });
  },
);

test.each(free)('an attempt that is %s costs nothing, even when no try is left', (end) => {
  expect(afterEnd(end, 1, 4)).toEqual({ retry: true, costsRetry: false });
  expect(afterEnd(end, 4, 4)).toEqual({ retry: true, costsRetry: false });
});

test('a task is tried exactly as often as it may be', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.infiniteStream(fc.constantFrom(...costly, ...free)),
      (maxAttempts, ends) => {
        let used = 0;
        let tries = 0;
        for (const end of ends) {
          used += 1;
          tries += 1;
          const after = afterEnd(end, used, maxAttempts);
          if (!after.retry) break;
          if (!after.costsRetry) used -= 1;
          if (tries > 500) return; // offers may be refused for ever
        }
        expect(used).toBe(maxAttempts);
      },
    ),
  );
});

test('without a word of the spec there are a few retries', () => {
  expect(DEFAULT_RETRIES).toBe(3);
});
