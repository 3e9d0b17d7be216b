/** States of a job, a task and an attempt, and which may follow which. The database enforces the same tables. */
export const JOB_STATES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const;
export type JobState = (typeof JOB_STATES)[number];

export const TASK_STATES = [
  'queued',
  'leased',
  'running',
  'verifying',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const ATTEMPT_STATES = [
  'leased',
  'running',
  'reported',
  'accepted',
  'rejected',
  'disputed',
  'failed',
  'cancelled',
  'preempted',
  'lost',
  'stale',
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];
