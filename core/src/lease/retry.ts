/** Why an attempt ended without a result that counts. */
export type AttemptEnd =
  'lost' | 'worker_fault' | 'rejected' | 'refused' | 'offer_timeout' | 'preempted';

/** What becomes of the task: it is tried again, or it has failed for good. */
export type AfterEnd =
  { readonly retry: true; readonly costsRetry: boolean } | { readonly retry: false };

/** An offer that was not taken costs nothing, and neither does a preemption; the rest uses up one of the task's attempts. */
export function afterEnd(end: AttemptEnd, attemptsUsed: number, maxAttempts: number): AfterEnd {
  const costsRetry = end === 'lost' || end === 'worker_fault' || end === 'rejected';
  if (!costsRetry) return { retry: true, costsRetry };
  return attemptsUsed < maxAttempts ? { retry: true, costsRetry } : { retry: false };
}

/** Attempts a task gets when the spec does not say: enough for a few bad machines in a row. */
export const DEFAULT_RETRIES = 3;
