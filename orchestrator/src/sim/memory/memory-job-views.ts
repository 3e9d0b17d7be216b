import type { AccountId, JobId, JobView } from '@tidemill/protocol';
import { JobViews } from '../../jobs/job-views.js';
import type { Absences } from '../../platform/http/absences.js';
import { ProblemError } from '../../platform/http/problem.js';
import { NONE, within, type MemoryDb } from './memory-db.js';

/** Jobs as their submitters see them, as far as a simulated submitter looks. */
export class MemoryJobViews extends JobViews {
  constructor(
    private readonly memory: MemoryDb,
    absences: Absences,
  ) {
    super(memory, absences);
  }

  override one(accountId: AccountId, id: JobId): Promise<JobView> {
    return within(this.memory, (tx) =>
      tx.statement('views.one', NONE, (): JobView => {
        const job = tx.get(tx.database.jobs, id);
        if (job?.accountId !== accountId) throw new ProblemError('NOT_FOUND', `There is no ${id}.`);
        return {
          id,
          kind: 'batch',
          name: job.name,
          labels: {},
          state: job.state,
          reason: null,
          createdAt: '',
          startedAt: null,
          finishedAt: null,
          tasks: { total: job.tasksTotal, succeeded: job.tasksTotal - job.tasksLeft, running: 0 },
          progress: null,
          hold: String(job.hold),
          cost: '0',
          verify: { applied: 'none' },
          expectedStart: null,
        };
      }),
    );
  }
}
