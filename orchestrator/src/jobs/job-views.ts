import { Injectable } from '@nestjs/common';
import { verifyApplied, type VerifyPlan } from '@tidemill/core/job';
import {
  JobSpec,
  type AccountId,
  type AttemptView,
  parseLabel,
  type JobDetail,
  type JobFilter,
  type JobId,
  type JobState,
  type JobView,
  type Labels,
  type TaskId,
} from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { Absences } from '../platform/http/absences.js';
import type { NewJob } from './jobs.store.js';

interface JobRow {
  readonly id: JobId;
  readonly kind: string;
  readonly name: string | null;
  readonly labels: Labels | null;
  readonly state: JobState;
  readonly reason_code: string | null;
  readonly reason_message: string | null;
  readonly spec: string;
  readonly verify: string;
  readonly hold: bigint;
  readonly tasks_total: number;
  readonly tasks_left: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly cost: bigint;
  readonly running: number;
  readonly step: number | null;
  readonly total_steps: number | null;
  readonly metrics: string | null;
}

interface TaskRow {
  readonly id: TaskId;
  readonly root_id: TaskId;
  readonly idx: number;
  readonly role: AttemptView['role'];
  readonly state: JobDetail['taskList'][number]['state'];
}

interface AttemptRow {
  readonly id: AttemptView['id'];
  readonly task_id: TaskId;
  readonly number: number;
  readonly worker_id: AttemptView['workerId'];
  readonly fence: number;
  readonly state: AttemptView['state'];
  readonly reason: string | null;
  readonly leased_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly hash: Buffer | null;
  readonly verdict: AttemptView['verdict'];
  readonly price: bigint | null;
}

/** Jobs as their submitters see them. Every query names the account: another's job is not there. */
@Injectable()
export class JobViews {
  constructor(
    private readonly db: Db,
    private readonly absences: Absences,
  ) {}

  /** A job as it is the moment it is accepted. */
  accepted({ id, draft }: NewJob, nowMs: number): JobView {
    return {
      id,
      kind: draft.kind,
      name: draft.spec.name ?? null,
      labels: draft.spec.labels ?? {},
      state: 'queued',
      reason: null,
      createdAt: new Date(nowMs).toISOString(),
      startedAt: null,
      finishedAt: null,
      tasks: { total: draft.tasks.length, succeeded: 0, running: 0 },
      progress: null,
      hold: String(draft.hold),
      cost: '0',
      verify: { applied: verifyApplied(draft.verify) },
      expectedStart: null,
    };
  }

  /** @throws ProblemError NOT_FOUND, also for jobs of others; FORGOTTEN */
  async one(accountId: AccountId, id: JobId): Promise<JobView> {
    return view(await this.row(accountId, id));
  }

  /** One job with its tasks, copies under the task they repeat, and their attempts. */
  async detail(accountId: AccountId, id: JobId): Promise<JobDetail> {
    const row = await this.row(accountId, id);
    const tasks = await this.db.query<TaskRow>(
      'SELECT id, root_id, idx, role, state FROM tasks WHERE job_id = $1 ORDER BY idx, id',
      [id],
    );
    const attempts = await this.db.query<AttemptRow>(ATTEMPTS, [id]);
    return {
      ...view(row),
      spec: JobSpec.parse(JSON.parse(row.spec)),
      taskList: tasks
        .filter(({ role }) => role === 'primary')
        .map(({ id: taskId, idx, state }) => {
          const family = new Map(
            tasks.filter(({ root_id }) => root_id === taskId).map((task) => [task.id, task.role]),
          );
          return {
            id: taskId,
            index: idx,
            state,
            attempts: attempts.flatMap((attempt) => {
              const role = family.get(attempt.task_id);
              return role === undefined ? [] : [attemptView(attempt, role)];
            }),
          };
        }),
    };
  }

  /** The account's jobs that fit the filter, newest first, a page of them. @throws ProblemError CURSOR_INVALID */
  async list(accountId: AccountId, filter: JobFilter): Promise<Page<JobView>> {
    const before = positionOf('jobs', filter.cursor, /^job_[0-9a-z]{26}$/);
    const labels = filter.label?.map((text) => parseLabel(text) ?? ['', '']);
    const rows = await this.db.query<JobRow>(LIST, [
      accountId,
      before?.[0] ?? null,
      filter.state ?? null,
      filter.kind ?? null,
      filter.name === undefined ? null : `${filter.name}%`,
      labels === undefined ? null : JSON.stringify(Object.fromEntries(labels)),
      filter.createdAfter ?? null,
      filter.createdBefore ?? null,
      filter.limit + 1,
    ]);
    return pageOf('jobs', rows.map(view), filter.limit, ({ id }) => id);
  }

  private async row(accountId: AccountId, id: JobId): Promise<JobRow> {
    const [row] = await this.db.query<JobRow>(`${JOBS} AND job.id = $2`, [accountId, id]);
    if (row === undefined) throw this.absences.of(id, `There is no job ${id} of yours.`);
    return row;
  }
}

const JOBS = `
SELECT job.id, job.kind, job.name, job.labels, job.state, job.reason_code, job.reason_message, job.spec, job.verify, job.hold, job.tasks_total,
  job.tasks_left, job.created_at, job.started_at, job.finished_at,
  coalesce((SELECT sum(price) FROM charges WHERE charges.job_id = job.id AND payer = 'submitter' AND NOT refunded), 0)::bigint AS cost,
  (SELECT count(*) FROM tasks WHERE tasks.job_id = job.id AND tasks.role = 'primary' AND tasks.state IN ('leased', 'running', 'verifying'))::int AS running,
  progress.step, progress.total_steps, progress.metrics
FROM jobs AS job
LEFT JOIN LATERAL (
  SELECT step, total_steps, metrics FROM attempt_progress WHERE attempt_progress.job_id = job.id ORDER BY step DESC, at DESC LIMIT 1
) AS progress ON true
WHERE job.account_id = $1`;

/** Parameters are constants when the statement is planned, so a filter that is not given costs nothing and the others find their index. */
const LIST = `${JOBS}
  AND ($2::text IS NULL OR job.id < $2)
  AND ($3::text[] IS NULL OR job.state = ANY ($3))
  AND ($4::text[] IS NULL OR job.kind = ANY ($4))
  AND ($5::text IS NULL OR job.name LIKE $5)
  AND ($6::jsonb IS NULL OR job.labels @> $6)
  AND ($7::timestamptz IS NULL OR job.created_at >= $7)
  AND ($8::timestamptz IS NULL OR job.created_at < $8)
ORDER BY job.id DESC LIMIT $9`;

const ATTEMPTS = `
SELECT attempt.id, attempt.task_id, attempt.number, attempt.worker_id, attempt.fence, attempt.state, attempt.reason, attempt.leased_at,
  attempt.started_at, attempt.finished_at, receipt.hash, coalesce(verdict.verdict, CASE WHEN attempt.state = 'disputed' THEN 'disputed' END) AS verdict, charge.price
FROM tasks AS task
JOIN attempts AS attempt ON attempt.task_id = task.id
LEFT JOIN receipts AS receipt ON receipt.attempt_id = attempt.id
LEFT JOIN verdicts AS verdict ON verdict.attempt_id = attempt.id
LEFT JOIN charges AS charge ON charge.attempt_id = attempt.id
WHERE task.job_id = $1 ORDER BY attempt.id`;

function view(row: JobRow): JobView {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    labels: row.labels ?? {},
    state: row.state,
    reason:
      row.reason_code === null
        ? null
        : { code: row.reason_code, message: row.reason_message ?? '' },
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    tasks: {
      total: row.tasks_total,
      succeeded: row.tasks_total - row.tasks_left,
      running: row.running,
    },
    progress:
      row.step === null
        ? null
        : {
            step: row.step,
            totalSteps: row.total_steps ?? 0,
            metrics: JSON.parse(row.metrics ?? '{}') as Record<string, number>,
          },
    hold: String(row.hold),
    cost: String(row.cost),
    verify: { applied: verifyApplied(JSON.parse(row.verify) as VerifyPlan) }, // written at acceptance from this type
    expectedStart: null,
  };
}

function attemptView(row: AttemptRow, role: AttemptView['role']): AttemptView {
  return {
    id: row.id,
    taskId: row.task_id,
    number: row.number,
    role,
    workerId: row.worker_id,
    fence: row.fence,
    state: row.state,
    reason: row.reason,
    leasedAt: row.leased_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    decisionId: row.id.replace(/^att_/, 'dec_') as AttemptView['decisionId'], // a decision bears the number of its attempt
    receiptHash: row.hash?.toString('hex') ?? null,
    verdict: row.verdict,
    price: row.price === null ? null : String(row.price),
  };
}
