import { Injectable } from '@nestjs/common';
import { hold } from '@tidemill/core/ledger';
import { copiesOf, verifyApplied } from '@tidemill/core/job';
import {
  formatAmount,
  type AccountId,
  type ExceededBudget,
  type JobSpec,
  type KeyId,
  type OperationId,
} from '@tidemill/protocol';
import { hash } from 'node:crypto';
import { BudgetExceededError, BudgetsStore } from '../accounts/budgets.store.js';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import { Batcher } from '../platform/batcher.js';
import { DatabaseUnavailableError, Db } from '../platform/db/db.js';
import { violates } from '../platform/db/violation.js';
import { faultPoint } from '../platform/fault-points.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import type { JobDraft } from './draft.js';
import { Drafter } from './drafter.js';
import { JobsStore, type KeyClaim, type NewJob } from './jobs.store.js';
import { QueueLimits } from './queue-limits.js';

/** A request to accept jobs, as it came over the wire. */
export interface Submission {
  readonly accountId: AccountId;
  /** Whose budget it spends beside the account's. */
  readonly budgetKey?: KeyId | null;
  readonly operation: Extract<OperationId, 'createJob' | 'createJobs' | 'rerunJob'>;
  readonly bodyText: string;
  readonly idempotencyKey: string | undefined;
}

/** Requests that share a transaction at most: their jobs are few, as each that brings many has one of its own. */
const MAX_TOGETHER = 64;

/** A request that is ready to be written: what it will be answered is decided already. */
interface Ready {
  readonly accountId: AccountId;
  readonly jobs: readonly NewJob[];
  readonly claim: KeyClaim | null;
  readonly answer: string;
}

type Outcome = { readonly accepted: boolean } | { readonly cause: unknown };

/**
 * Accepts jobs, each request wholly or not at all. Requests of one job that come together share a transaction: a submitter's
 * balance is locked until it ends, so that otherwise each would wait for the disk of all before it.
 */
@Injectable()
export class Acceptance {
  private readonly arriving = new Batcher<Ready, Outcome>(
    (ready) => this.acceptTogether(ready),
    MAX_TOGETHER,
  );

  constructor(
    private readonly db: Db,
    private readonly store: JobsStore,
    private readonly drafter: Drafter,
    private readonly book: LedgerBook,
    private readonly budgets: BudgetsStore,
    private readonly trail: TrailWriter,
    private readonly limits: QueueLimits,
    private readonly ids: Ids,
    private readonly wakeups: Wakeups,
    private readonly telemetry: Telemetry,
  ) {}

  /** Accepts the jobs and gives the answer, or the answer of the request that used the same Idempotency-Key (G1, G2). */
  async accept(
    submission: Submission,
    specs: readonly JobSpec[],
    answerOf: (jobs: readonly NewJob[]) => object,
    change: (draft: JobDraft) => JobDraft = (draft) => draft,
  ): Promise<string> {
    const { accountId, idempotencyKey: key, operation } = submission;
    const bodyDigest = hash('sha256', submission.bodyText, 'buffer');
    const earlier = key === undefined ? null : await this.earlier(submission, key, bodyDigest);
    if (earlier !== null) return earlier;
    const drafts = (await this.draftAll(specs, accountId)).map(change);
    const budgetKey = submission.budgetKey ?? null;
    const jobs = drafts.map((draft) => this.withIds(accountId, budgetKey, draft));
    this.limits.admit(
      accountId,
      jobs.reduce((sum, { taskIds }) => sum + taskIds.length, 0),
    );

    const answer = JSON.stringify(answerOf(jobs));
    const claim = key === undefined ? null : { accountId, key, operation, bodyDigest, answer };
    const ready = { accountId, jobs, claim, answer };
    const outcome =
      jobs.length === 1 ? await this.arriving.add(ready) : await this.acceptAlone(ready);
    if ('cause' in outcome) {
      if (outcome.cause instanceof BudgetExceededError) throw exceeded(outcome.cause.budget);
      if (!violates(outcome.cause, 'balance_not_negative')) throw outcome.cause;
      throw await this.missingFunds(accountId, drafts, outcome.cause);
    }
    if (outcome.accepted || key === undefined) return answer;
    return (await this.earlier(submission, key, bodyDigest)) ?? '';
  }

  /** One request that is refused must not take others with it, so after a failure each is tried alone. */
  private async acceptTogether(ready: readonly Ready[]): Promise<Outcome[]> {
    try {
      return (await this.commit(ready)).map((accepted) => ({ accepted }));
    } catch (cause) {
      if (ready.length === 1 || cause instanceof DatabaseUnavailableError)
        return ready.map(() => ({ cause }));
    }
    const outcomes: Outcome[] = [];
    for (const one of ready) outcomes.push(await this.acceptAlone(one));
    return outcomes;
  }

  private async acceptAlone(ready: Ready): Promise<Outcome> {
    try {
      return { accepted: (await this.commit([ready]))[0] ?? false };
    } catch (cause) {
      return { cause };
    }
  }

  /** Whether each was accepted; one whose key another request has is not, and leaves nothing. */
  private async commit(ready: readonly Ready[]): Promise<boolean[]> {
    const committed = await this.db.transaction(async (tx) => {
      const claims = ready.flatMap(({ claim }) => claim ?? []);
      const claimed = claims.length === 0 ? new Set() : await this.store.claimKeys(tx, claims);
      const accepted = ready.map(({ claim }) => claim === null || claimed.has(claim));
      const jobs = ready.flatMap((one, i) => (accepted[i] === true ? one.jobs : []));
      if (jobs.length === 0) return accepted;
      await this.store.insert(tx, jobs);
      await this.trail.append(tx, jobs.map(acceptedEvent));
      await this.wakeups.notify(tx, 'tasks', 'job');
      // Last, since it locks the balances that the submitters' other requests and their bills want too.
      await this.book.book(
        tx,
        jobs.map(({ id, accountId, draft }) => hold(id, accountId, draft.hold)),
      );
      await this.budgets.take(
        tx,
        jobs.map(({ id: jobId, draft, ...owners }) => ({ jobId, ...owners, hold: draft.hold })),
      );
      for (const { draft } of jobs) this.telemetry.jobsAccepted.inc({ kind: draft.kind });
      faultPoint('jobs.accept.before-commit');
      return accepted;
    });
    faultPoint('jobs.accept.after-commit');
    return committed;
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

  private withIds(accountId: AccountId, budgetKey: KeyId | null, draft: JobDraft): NewJob {
    const tasks = draft.tasks.length * copiesOf(draft.verify);
    return {
      id: this.ids.make('job'),
      accountId,
      budgetKey,
      draft,
      taskIds: Array.from({ length: tasks }, () => this.ids.make('task')),
    };
  }

  private async earlier(
    { accountId, operation }: Submission,
    key: string,
    bodyDigest: Buffer,
  ): Promise<string | null> {
    const earlier = await this.store.keyedRequest(this.db, accountId, key);
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

function exceeded(budget: ExceededBudget): ProblemError {
  const [asked, left, limit] = [budget.asked, budget.left, budget.limit].map((units) =>
    formatAmount(BigInt(units)),
  );
  const renews = budget.renewsAt === null ? 'never renews' : `renews at ${budget.renewsAt}`;
  return new ProblemError(
    'BUDGET_EXCEEDED',
    `The hold is ${asked}, and of the ${budget.of}'s ${budget.period} budget of ${limit} ${left} is left; it ${renews}.`,
    { budget },
  );
}

function acceptedEvent({ id, accountId, draft, taskIds }: NewJob) {
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
