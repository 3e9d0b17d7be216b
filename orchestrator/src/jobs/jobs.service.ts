import { Injectable } from '@nestjs/common';
import type { AccountId, BatchResult, JobId, JobSpec, JobView } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { ProblemError } from '../platform/http/problem.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { Acceptance, type Submission } from './acceptance.js';
import type { JobDraft } from './draft.js';
import { JobViews } from './job-views.js';
import { JobsStore, type JobEnd, type NewJob } from './jobs.store.js';

/** Accepts jobs, ends them, and keeps each promise in one transaction. */
@Injectable()
export class JobsService {
  constructor(
    private readonly db: Db,
    private readonly store: JobsStore,
    private readonly acceptance: Acceptance,
    private readonly trail: TrailWriter,
    private readonly views: JobViews,
    private readonly clock: Clock,
    private readonly wakeups: Wakeups,
    private readonly telemetry: Telemetry,
  ) {}

  /** Accepts one job, or gives the answer of the request that used the same Idempotency-Key. `change` may leave tasks out. */
  async create(
    submission: Submission,
    spec: JobSpec,
    change: (draft: JobDraft) => JobDraft = (draft) => draft,
  ): Promise<JobView> {
    const answerOf = ([job]: readonly NewJob[]): JobView => {
      if (job === undefined) throw new Error('one spec makes one job');
      return this.views.accepted(job, this.clock.nowMs());
    };
    const answer = await this.acceptance.accept(submission, [spec], answerOf, change);
    return JSON.parse(answer) as JobView; // written by this method
  }

  /** Accepts all jobs or none. */
  async createMany(submission: Submission, specs: readonly JobSpec[]): Promise<BatchResult> {
    const answer = await this.acceptance.accept(submission, specs, (jobs) => ({
      jobs: jobs.map(({ id, draft }) => ({ id, hold: String(draft.hold) })),
    }));
    return JSON.parse(answer) as BatchResult; // written by this method
  }

  /**
   * Ends jobs inside the caller's transaction, each once; gives those that this call ended. What their holds leave is
   * released by the ledger, which finds the ends in their rows.
   */
  async end(tx: Tx, ends: readonly JobEnd[]): Promise<readonly JobId[]> {
    if (ends.length === 0) return [];
    const ended = await this.store.end(tx, ends);
    const unusual = ends.filter(
      ({ jobId, state }) => state !== 'succeeded' && ended.includes(jobId),
    );
    await this.trail.append(
      tx,
      unusual.map(({ jobId, state, code }) => ({
        kind: `job.${state}`,
        subject: jobId,
        body: JSON.stringify({ job: jobId, code }),
      })),
    );
    if (unusual.length > 0) await this.wakeups.notify(tx, 'cancel');
    for (const { state } of ends) this.telemetry.jobsFinished.inc({ state });
    return ended;
  }

  /** Cancels an open job of the account; a job that has ended stays as it is. */
  async cancel(accountId: AccountId, jobId: JobId): Promise<JobView> {
    await this.views.one(accountId, jobId);
    await this.db.transaction(async (tx) => {
      await this.end(tx, [
        { jobId, state: 'cancelled', code: 'CANCELLED', message: 'Cancelled by its submitter.' },
      ]);
      faultPoint('jobs.cancel.before-commit');
    });
    faultPoint('jobs.cancel.after-commit');
    const job = await this.views.one(accountId, jobId);
    if (job.state === 'cancelled') return job;
    throw new ProblemError('CONFLICT', `The job has ${job.state} already.`);
  }
}
