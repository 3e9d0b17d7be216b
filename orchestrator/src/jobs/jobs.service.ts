import { Injectable } from '@nestjs/common';
import { hold } from '@tidemill/core/ledger';
import { copiesOf, verifyApplied } from '@tidemill/core/job';
import type {
  AccountId,
  BatchResult,
  JobId,
  JobSpec,
  JobView,
  OperationId,
} from '@tidemill/protocol';
import { hash } from 'node:crypto';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { violates } from '../platform/db/violation.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import type { JobDraft } from './draft.js';
import { Drafter } from './drafter.js';
import { JobViews } from './job-views.js';
import { JobsStore, type JobEnd, type NewJob } from './jobs.store.js';
import { QueueLimits } from './queue-limits.js';

/** A request to accept jobs, as it came over the wire. */
export interface Submission {
  readonly accountId: AccountId;
  readonly operation: Extract<OperationId, 'createJob' | 'createJobs'>;
  readonly bodyText: string;
  readonly idempotencyKey: string | undefined;
}

/** Accepts jobs, ends them, and keeps each promise in one transaction. */
@Injectable()
export class JobsService {
  constructor(
    private readonly db: Db,
    private readonly store: JobsStore,
    private readonly drafter: Drafter,
    private readonly book: LedgerBook,
    private readonly trail: TrailWriter,
    private readonly views: JobViews,
    private readonly limits: QueueLimits,
    private readonly ids: Ids,
    private readonly clock: Clock,
    private readonly wakeups: Wakeups,
    private readonly telemetry: Telemetry,
  ) {}

  /** Accepts one job, or gives the answer of the request that used the same Idempotency-Key. */
  async create(submission: Submission, spec: JobSpec): Promise<JobView> {
    const answer = await this.accept(submission, [spec], ([job]) => {
      if (job === undefined) throw new Error('one spec makes one job');
      return this.views.accepted(job, this.clock.nowMs());
    });
    return JSON.parse(answer) as JobView; // written by this method
  }

  /** Accepts all jobs or none. */
  async createMany(submission: Submission, specs: readonly JobSpec[]): Promise<BatchResult> {
    const answer = await this.accept(submission, specs, (jobs) => ({
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
    await this.db.transaction((tx) =>
      this.end(tx, [
        { jobId, state: 'cancelled', code: 'CANCELLED', message: 'Cancelled by its submitter.' },
      ]),
    );
    const job = await this.views.one(accountId, jobId);
    if (job.state === 'cancelled') return job;
    throw new ProblemError('CONFLICT', `The job has ${job.state} already.`);
  }

  private async accept(
    submission: Submission,
    specs: readonly JobSpec[],
    answerOf: (jobs: readonly NewJob[]) => object,
  ): Promise<string> {
    const { accountId, idempotencyKey: key, operation } = submission;
    const bodyDigest = hash('sha256', submission.bodyText, 'buffer');
    if (key !== undefined) {
      const earlier = await this.earlierAnswer(this.db, submission, key, bodyDigest);
      if (earlier !== null) return earlier;
    }
    const drafts = await this.draftAll(specs, accountId);
    const jobs = drafts.map((draft) => this.withIds(draft));
    this.limits.admit(
      accountId,
      jobs.reduce((sum, { taskIds }) => sum + taskIds.length, 0),
    );

    try {
      return await this.db.transaction(async (tx) => {
        if (
          key !== undefined &&
          !(await this.store.claimKey(tx, accountId, key, operation, bodyDigest)).claimed
        ) {
          return (await this.earlierAnswer(tx, submission, key, bodyDigest)) ?? '';
        }
        await this.store.insert(tx, accountId, jobs);
        await this.trail.append(
          tx,
          jobs.map((job) => acceptedEvent(job, accountId)),
        );
        const answer = JSON.stringify(answerOf(jobs));
        if (key !== undefined) await this.store.saveAnswer(tx, accountId, key, answer);
        await this.wakeups.notify(tx, 'tasks', 'job');
        // Last, since it locks the balance that the submitter's other requests and its bills want too.
        await this.book.book(
          tx,
          jobs.map(({ id, draft }) => hold(id, accountId, draft.hold)),
        );
        for (const { draft } of jobs) this.telemetry.jobsAccepted.inc({ kind: draft.kind });
        return answer;
      });
    } catch (cause) {
      if (violates(cause, 'balance_not_negative'))
        throw await this.missingFunds(accountId, drafts, cause);
      throw cause;
    }
  }

  /** Drafts in order; a fault in a batch says which job it is in. */
  private async draftAll(specs: readonly JobSpec[], accountId: AccountId): Promise<JobDraft[]> {
    const drafts: JobDraft[] = [];
    for (const [index, spec] of specs.entries()) {
      try {
        drafts.push(await this.drafter.draft(spec, accountId));
      } catch (cause) {
        if (!(cause instanceof ProblemError) || specs.length === 1) throw cause;
        throw new ProblemError(cause.code, `jobs.${index}: ${cause.detail}`, cause.more, { cause });
      }
    }
    return drafts;
  }

  private withIds(draft: JobDraft): NewJob {
    const tasks = draft.tasks.length * copiesOf(draft.verify);
    return {
      id: this.ids.make('job'),
      draft,
      taskIds: Array.from({ length: tasks }, () => this.ids.make('task')),
    };
  }

  private async earlierAnswer(
    on: Tx,
    { accountId, operation }: Submission,
    key: string,
    bodyDigest: Buffer,
  ): Promise<string | null> {
    const earlier = await this.store.keyedRequest(on, accountId, key);
    if (earlier === null) return null;
    if (earlier.operation !== operation || !bodyDigest.equals(earlier.bodyDigest)) {
      throw new ProblemError('IDEMPOTENCY_MISMATCH', `The key ${key} belongs to another request.`);
    }
    return earlier.answer;
  }

  private async missingFunds(
    accountId: AccountId,
    drafts: readonly JobDraft[],
    cause: unknown,
  ): Promise<ProblemError> {
    const { available } = await this.book.balances(accountId);
    const wanted = drafts.reduce((sum, draft) => sum + draft.hold, 0n);
    const missing = wanted > available ? wanted - available : 0n;
    return new ProblemError(
      'INSUFFICIENT_FUNDS',
      `The hold is ${wanted} base units, ${available} are available, ${missing} are missing.`,
      { missing: String(missing) },
      { cause },
    );
  }
}

function acceptedEvent({ id, draft, taskIds }: NewJob, accountId: AccountId) {
  return {
    kind: 'job.accepted',
    subject: id,
    body: JSON.stringify({
      account: accountId,
      kind: draft.kind,
      spec: `sha256:${hash('sha256', draft.specText)}`,
      tasks: taskIds.length,
      hold: String(draft.hold),
      verify: verifyApplied(draft.verify),
    }),
  };
}
