import type { AttemptState, JobState, TaskState } from '@tidemill/protocol';

/**
 * Which state may follow which. A state with no followers is final. The database refuses every other change by triggers made
 * from these tables; a test compares the two.
 */
export const JOB_TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['running', 'succeeded', 'failed', 'cancelled', 'expired'],
  running: ['succeeded', 'failed', 'cancelled', 'expired'],
  succeeded: [],
  failed: [],
  cancelled: [],
  expired: [],
};

/** A task goes back to queued when its attempt is lost, refused, preempted or rejected. */
export const TASK_TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  queued: ['leased', 'verifying', 'failed', 'cancelled'],
  leased: ['queued', 'running', 'verifying', 'failed', 'cancelled'],
  running: ['queued', 'verifying', 'failed', 'cancelled'],
  verifying: ['queued', 'succeeded', 'failed', 'cancelled'],
  succeeded: ['queued'],
  failed: [],
  cancelled: [],
};

/** A lost attempt may still report: time never decides, only the fence does (G4). */
export const ATTEMPT_TRANSITIONS: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  leased: ['running', 'reported', 'failed', 'cancelled', 'preempted', 'lost', 'stale'],
  running: ['reported', 'failed', 'cancelled', 'preempted', 'lost', 'stale'],
  reported: ['accepted', 'rejected', 'disputed', 'cancelled'],
  disputed: ['accepted', 'rejected', 'cancelled'],
  lost: ['reported', 'failed', 'stale'],
  accepted: [],
  rejected: [],
  failed: [],
  cancelled: [],
  preempted: [],
  stale: [],
};

/** Whether `next` may follow `state` in a transition table. */
export function mayFollow<S extends string>(
  table: Readonly<Record<S, readonly S[]>>,
  state: S,
  next: S,
): boolean {
  return table[state].includes(next);
}

/** Whether nothing may follow `state`. */
export function isFinal<S extends string>(
  table: Readonly<Record<S, readonly S[]>>,
  state: S,
): boolean {
  return table[state].length === 0;
}
