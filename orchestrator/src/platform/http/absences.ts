import { madeAtMs, type AttemptId, type DecisionId, type JobId } from '@tidemill/protocol';
import type { Config } from '../../config/env.js';
import type { Clock } from '../clock.js';
import { ProblemError } from './problem.js';

/** No network is older than this, so an older id was never one. */
const FIRST_MS = Date.UTC(2026, 0, 1);

/**
 * What is said of what is not there. Ids hold the time they were made, so what was kept for its time is told from what never was
 * without a list of all that was ever forgotten, and the answer is the same for everybody's ids: it tells nobody what others had.
 */
export class Absences {
  constructor(
    private readonly config: Pick<Config, 'keepJobsMs'>,
    private readonly clock: Clock,
  ) {}

  /** FORGOTTEN for an id from before what is kept, else NOT_FOUND with `detail`. Only for what was looked for and is not there. */
  of(
    id: JobId | AttemptId | DecisionId,
    detail: string,
    keptMs = this.config.keepJobsMs,
  ): ProblemError {
    const madeMs = madeAtMs(id);
    const isOld = madeMs >= FIRST_MS && madeMs < this.clock.nowMs() - keptMs;
    return isOld
      ? new ProblemError('FORGOTTEN', `What there was of ${id} was kept for its time.`)
      : new ProblemError('NOT_FOUND', detail);
  }
}
