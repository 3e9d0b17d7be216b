import type { AttemptId } from '@tidemill/protocol';

/** One execution of a task, as its receipt states it. */
export interface Execution {
  readonly attemptId: AttemptId;
  readonly role: 'primary' | 'replica' | 'audit' | 'referee';
  /** What is compared: the commitment, the digest of the outputs, or the failure. Null while it has not reported. */
  readonly result: string | null;
}

/** What is to be done about a task. */
export type Judgement =
  | { readonly next: 'wait' }
  /** Executions disagree and nobody has a majority yet: one more, by a worker that has not run it. */
  | { readonly next: 'referee'; readonly disputed: readonly AttemptId[] }
  | {
      readonly next: 'done';
      readonly accepted: readonly AttemptId[];
      readonly rejected: readonly AttemptId[];
    };

/**
 * Judges the executions of one task. Nothing is said before all have reported, so that no result shows before another is committed.
 * Executions that agree are accepted. When they disagree, a result needs more than half of all executions; a verdict never rests
 * on one worker's word against another's.
 */
export function judge(executions: readonly Execution[]): Judgement {
  if (executions.some(({ result }) => result === null)) return { next: 'wait' };
  const groups = new Map<string, Execution[]>();
  for (const execution of executions) {
    const same = groups.get(execution.result ?? '');
    if (same === undefined) groups.set(execution.result ?? '', [execution]);
    else same.push(execution);
  }
  if (groups.size <= 1)
    return { next: 'done', accepted: executions.map(({ attemptId }) => attemptId), rejected: [] };

  const largest = [...groups.values()].reduce((a, b) => (b.length > a.length ? b : a));
  if (largest.length * 2 <= executions.length) {
    return { next: 'referee', disputed: executions.map(({ attemptId }) => attemptId) };
  }
  const accepted = largest.map(({ attemptId }) => attemptId);
  return {
    next: 'done',
    accepted,
    rejected: executions.map(({ attemptId }) => attemptId).filter((id) => !accepted.includes(id)),
  };
}
