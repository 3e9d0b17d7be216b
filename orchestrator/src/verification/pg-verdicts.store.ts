import { Injectable } from '@nestjs/common';
import type { VerifyPlan } from '@tidemill/core/job';
import {
  TFJS_OUTPUTS,
  type AttemptId,
  type Digest,
  type JobId,
  type TaskId,
  type WorkerId,
} from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import type { Window } from '../platform/db/stage-cursors.js';
import { LIMIT_MS } from '../scheduling/pg-leases.store.js';
import {
  VerdictsStore,
  type Member,
  type Output,
  type Reported,
  type Verdict,
  type Voided,
} from './verdicts.store.js';

interface ReportedRow {
  readonly attempt_id: AttemptId;
  readonly task_id: TaskId;
  readonly root_id: TaskId;
  readonly job_id: JobId;
  readonly worker_id: WorkerId;
  readonly role: Reported['role'];
  readonly audited: boolean;
  readonly verify: string;
  readonly hash: Buffer;
  readonly result: string;
  readonly xid: string;
  /** False once it was taken back: it has its verdict. */
  readonly is_open: boolean;
}

@Injectable()
export class PgVerdictsStore extends VerdictsStore {
  async reported(tx: Tx, window: Window, limit: number) {
    const rows = await tx.query<ReportedRow>(REPORTED, [window.from, window.to, limit + 1]);
    const open = rows.filter(({ is_open }) => is_open);
    if (rows.length <= limit) return { rows: open.map(reported), to: window.to, more: false };
    // Cut before the last transaction seen, which may go on beyond the limit; a transaction is smaller than the limit.
    const last = rows.at(-1)?.xid ?? window.to;
    return { rows: open.filter(({ xid }) => xid !== last).map(reported), to: last, more: true };
  }

  async cutByHold(tx: Tx, attemptIds: readonly AttemptId[]): Promise<ReadonlySet<AttemptId>> {
    if (attemptIds.length === 0) return new Set();
    const rows = await tx.query<{ id: AttemptId }>(CUT_BY_HOLD, [attemptIds]);
    return new Set(rows.map(({ id }) => id));
  }

  async families(tx: Tx, rootIds: readonly TaskId[]): Promise<readonly Member[]> {
    const rows = await tx.query<{
      task_id: TaskId;
      root_id: TaskId;
      job_id: JobId;
      role: Member['role'];
      attempt_id: AttemptId | null;
      worker_id: WorkerId | null;
      result: string | null;
      job_over: boolean;
    }>(FAMILIES, [rootIds]);
    return rows.map((row) => ({
      taskId: row.task_id,
      rootId: row.root_id,
      jobId: row.job_id,
      role: row.role,
      attemptId: row.attempt_id,
      workerId: row.worker_id,
      result: row.result,
      isJobOver: row.job_over,
    }));
  }

  async leftByEndedJobs(tx: Tx, window: Window): Promise<readonly TaskId[]> {
    const rows = await tx.query<{ root_id: TaskId }>(LEFT_BY_ENDED_JOBS, [window.from, window.to]);
    return rows.map(({ root_id }) => root_id);
  }

  async addCopies(
    tx: Tx,
    copies: readonly { taskId: TaskId; rootId: TaskId; role: 'audit' | 'referee' }[],
  ): Promise<void> {
    await tx.query(ADD_COPIES, [
      copies.map(({ taskId }) => taskId),
      copies.map(({ rootId }) => rootId),
      copies.map(({ role }) => role),
      CHECK_PRIORITY,
    ]);
  }

  async waitingChecks(tx: Tx, limit: number) {
    const rows = await tx.query<{ id: TaskId; root_id: TaskId; taken: boolean }>(WAITING_CHECKS, [
      CHECK_PRIORITY,
      limit,
    ]);
    return rows.map(({ id, root_id, taken }) => ({ taskId: id, rootId: root_id, wasTaken: taken }));
  }

  async dropWaiting(tx: Tx, taskIds: readonly TaskId[]): Promise<readonly TaskId[]> {
    const rows = await tx.query<{ id: TaskId }>(DROP_WAITING, [taskIds]);
    return rows.map(({ id }) => id);
  }

  async markDisputed(tx: Tx, attemptIds: readonly AttemptId[]): Promise<void> {
    await tx.query(
      `UPDATE attempts SET state = 'disputed' WHERE id = ANY ($1) AND state = 'reported'`,
      [attemptIds],
    );
  }

  async give(tx: Tx, verdicts: readonly Verdict[]): Promise<readonly JobId[]> {
    const rows = await tx.query<{ id: JobId }>(GIVE, [
      verdicts.map(({ attemptId }) => attemptId),
      verdicts.map(({ taskId }) => taskId),
      verdicts.map(({ jobId }) => jobId),
      verdicts.map(({ verdict }) => verdict),
      verdicts.map(({ reason }) => reason),
      verdicts.map(({ payer }) => payer),
      verdicts.map(({ settles }) => settles),
      verdicts.map(({ failure }) => failure !== null),
    ]);
    return rows.map(({ id }) => id);
  }

  async receiptTexts(
    tx: Tx,
    attemptIds: readonly AttemptId[],
  ): Promise<ReadonlyMap<AttemptId, string>> {
    const rows = await tx.query<{ attempt_id: AttemptId; text: string }>(
      'SELECT attempt_id, text FROM receipts WHERE attempt_id = ANY ($1)',
      [attemptIds],
    );
    return new Map(rows.map(({ attempt_id, text }) => [attempt_id, text]));
  }

  outputs(
    tx: Tx,
    attempts: readonly { readonly attemptId: AttemptId; readonly taskId: TaskId }[],
  ): Promise<readonly Output[]> {
    return tx.query<Output>(OUTPUTS, [
      attempts.map(({ attemptId }) => attemptId),
      attempts.map(({ taskId }) => taskId),
    ]);
  }

  async checkpointOf(tx: Tx, attemptId: AttemptId) {
    const [row] = await tx.query<{ digest: Digest; size_bytes: bigint }>(
      'SELECT digest, size_bytes FROM task_outputs WHERE attempt_id = $1 AND name = $2',
      [attemptId, TFJS_OUTPUTS.checkpoint],
    );
    return row === undefined ? null : { digest: row.digest, sizeBytes: Number(row.size_bytes) };
  }

  async voidDependents(tx: Tx, rootId: TaskId): Promise<readonly Voided[]> {
    // Locked before they are read: a lease or a receipt that came in between would go on from what is void.
    await tx.query(LOCK_LATER_ATTEMPTS, [rootId]);
    await tx.query(LOCK_LATER_TASKS, [rootId]);
    const rows = await tx.query<{
      task_id: TaskId;
      root_id: TaskId;
      job_id: JobId;
      attempt_id: AttemptId | null;
      worker_id: WorkerId | null;
      reported: boolean;
    }>(VOID, [rootId]);
    return rows.map((row) => ({
      taskId: row.task_id,
      rootId: row.root_id,
      jobId: row.job_id,
      attemptId: row.attempt_id,
      workerId: row.worker_id,
      reported: row.reported,
    }));
  }
}

function reported(row: ReportedRow): Reported {
  return {
    attemptId: row.attempt_id,
    taskId: row.task_id,
    rootId: row.root_id,
    jobId: row.job_id,
    workerId: row.worker_id,
    role: row.role,
    audited: row.audited,
    verify: verifyOf(row.verify),
    hash: row.hash,
    result: row.result,
  };
}

/** There are few different plans; parsing one for every receipt would be waste. */
const plans = new Map<string, VerifyPlan>();
const MAX_PLANS = 1_000;

function verifyOf(text: string): VerifyPlan {
  let plan = plans.get(text);
  if (plan === undefined) {
    plan = JSON.parse(text) as VerifyPlan; // written at acceptance from this type
    if (plans.size >= MAX_PLANS) plans.clear();
    plans.set(text, plan);
  }
  return plan;
}

const REPORTED = `
SELECT receipt.attempt_id, receipt.task_id, coalesce(task.root_id, receipt.task_id) AS root_id, receipt.job_id, receipt.worker_id,
  coalesce(task.role, 'primary') AS role, coalesce(task.audited, false) AS audited, coalesce(job.verify, '{"method":"none"}') AS verify,
  receipt.hash, receipt.result, receipt.xid::text AS xid, coalesce(attempt.state = 'reported', true) AS is_open
FROM receipts AS receipt
LEFT JOIN LATERAL (SELECT state FROM attempts WHERE receipt.checked AND attempts.id = receipt.attempt_id OFFSET 0) AS attempt ON true
LEFT JOIN LATERAL (SELECT root_id, role, audited FROM tasks WHERE receipt.checked AND tasks.id = receipt.task_id OFFSET 0) AS task ON true
LEFT JOIN LATERAL (SELECT verify FROM jobs WHERE receipt.checked AND jobs.id = receipt.job_id OFFSET 0) AS job ON true
WHERE receipt.xid >= $1::xid8 AND receipt.xid < $2::xid8
ORDER BY receipt.xid LIMIT $3`;

/** What it is billed for tells: a worker that gave up early was not stopped by the hold. Its meter may be a little slow. */
const CUT_BY_HOLD = `
SELECT attempt.id FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id JOIN jobs AS job ON job.id = attempt.job_id
WHERE attempt.id = ANY ($1) AND ${LIMIT_MS} < job.max_duration_ms AND attempt.billable_ms * 20 >= ${LIMIT_MS} * 19`;

const FAMILIES = `
SELECT task.id AS task_id, task.root_id, task.job_id, task.role, receipt.attempt_id, receipt.worker_id, receipt.result,
  job.state NOT IN ('queued', 'running') AS job_over
FROM tasks AS task JOIN jobs AS job ON job.id = task.job_id
LEFT JOIN LATERAL (
  SELECT attempt.id AS attempt_id, attempt.worker_id, receipts.result
  FROM attempts AS attempt JOIN receipts ON receipts.attempt_id = attempt.id
  WHERE attempt.task_id = task.id AND attempt.fence = task.fence AND attempt.state IN ('reported', 'disputed')
) AS receipt ON true
WHERE (task.id = ANY ($1) OR (task.root_id = ANY ($1) AND task.role <> 'primary')) AND task.state NOT IN ('cancelled', 'failed', 'succeeded')
ORDER BY task.id`;

/**
 * Executions that reported before their job ended, and whose siblings were dropped with it. A check that was ordered at the very
 * moment the job ended was not seen by whoever ended it, and is dropped here.
 */
const LEFT_BY_ENDED_JOBS = `
WITH ended AS (
  SELECT job_id FROM job_ends WHERE xid >= $1::xid8 AND xid < $2::xid8 AND state <> 'succeeded'
), dropped AS (
  UPDATE tasks SET state = 'cancelled', waiting = false FROM ended
  WHERE tasks.job_id = ended.job_id AND tasks.role <> 'primary' AND tasks.state IN ('queued', 'leased', 'running')
)
SELECT DISTINCT task.root_id FROM ended JOIN tasks AS task ON task.job_id = ended.job_id AND task.state = 'verifying'`;

/** Results wait for their checks, so these come before the work of every job; it also makes them quick to find in the line. */
const CHECK_PRIORITY = 3;

const OUTPUTS = `
SELECT output.attempt_id AS "attemptId", output.digest, attempt.worker_id AS "workerId", job.id AS "jobId", job.account_id AS "accountId"
FROM unnest($1::text[], $2::text[]) AS judged (attempt_id, task_id)
JOIN task_outputs AS output ON output.task_id = judged.task_id AND output.attempt_id = judged.attempt_id
JOIN attempts AS attempt ON attempt.id = output.attempt_id JOIN jobs AS job ON job.id = attempt.job_id
ORDER BY output.attempt_id, output.digest`;

const WAITING_CHECKS = `
SELECT task.id, task.root_id, task.attempts_used > 0 AS taken FROM tasks AS task
WHERE task.waiting AND task.priority = $1
  AND (task.role = 'audit' OR EXISTS (SELECT FROM jobs WHERE jobs.id = task.job_id AND jobs.state NOT IN ('queued', 'running')))
ORDER BY task.id LIMIT $2`;

const DROP_WAITING = `
UPDATE tasks SET state = 'cancelled', waiting = false
FROM (SELECT id FROM tasks WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE) AS dropped
WHERE tasks.id = dropped.id AND tasks.waiting RETURNING tasks.id`;

const ADD_COPIES = `
INSERT INTO tasks (id, job_id, idx, role, root_id, priority, runtime_class, payload, payload_digest, inputs)
SELECT copy.id, root.job_id, root.idx, copy.role, root.id, $4, root.runtime_class, root.payload, root.payload_digest, root.inputs
FROM unnest($1::text[], $2::text[], $3::text[]) AS copy (id, root_id, role) JOIN tasks AS root ON root.id = copy.root_id`;

/**
 * A task succeeds with its accepted attempt and fails with an accepted failure. Attempts are found by their key before their state
 * is looked at; see the note in pg-leases.store.ts.
 */
const GIVE = `
WITH given AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
    AS given (attempt_id, task_id, job_id, verdict, reason, payer, settles, failed) ORDER BY attempt_id
), open AS (
  SELECT given.*, attempt.worker_id FROM given
  CROSS JOIN LATERAL (SELECT worker_id, state FROM attempts WHERE attempts.id = given.attempt_id OFFSET 0 FOR NO KEY UPDATE) AS attempt
  WHERE attempt.state IN ('reported', 'disputed')
), judged AS (
  UPDATE attempts SET state = open.verdict FROM open WHERE attempts.id = open.attempt_id RETURNING open.*
), written AS (
  INSERT INTO verdicts (attempt_id, job_id, verdict, reason, payer) SELECT attempt_id, job_id, verdict, reason, payer FROM judged
), settled AS (
  -- Every execution ends its own task; the one that settles the task they all repeat has the last word on that.
  SELECT DISTINCT ON (task_id) task_id, job_id, counts, failed, verdict FROM (
    SELECT task_id, job_id, settles IS NOT DISTINCT FROM task_id AS counts, failed, verdict FROM judged
    UNION ALL SELECT settles, job_id, true, failed, verdict FROM judged WHERE settles <> task_id
  ) AS ends ORDER BY task_id, counts DESC
), verifying AS (
  SELECT settled.* FROM settled
  CROSS JOIN LATERAL (SELECT state FROM tasks WHERE tasks.id = settled.task_id OFFSET 0 FOR NO KEY UPDATE) AS task WHERE task.state = 'verifying'
), tasks_done AS (
  UPDATE tasks SET state = CASE WHEN verifying.verdict = 'accepted' AND NOT verifying.failed THEN 'succeeded' ELSE 'failed' END
  FROM verifying WHERE tasks.id = verifying.task_id
  RETURNING verifying.job_id, verifying.counts, tasks.state
), counted AS (
  UPDATE workers SET accepted = workers.accepted + counts.accepted, rejected = workers.rejected + counts.rejected
  FROM (SELECT worker_id, count(*) FILTER (WHERE verdict = 'accepted') AS accepted, count(*) FILTER (WHERE verdict = 'rejected') AS rejected
        FROM judged GROUP BY worker_id) AS counts
  WHERE workers.id = counts.worker_id
), jobs_done AS (
  UPDATE jobs SET tasks_left = jobs.tasks_left - done.tasks,
    state = CASE WHEN jobs.tasks_left = done.tasks AND jobs.state IN ('queued', 'running') THEN 'succeeded' ELSE jobs.state END,
    started_at = coalesce(jobs.started_at, jobs.created_at),
    finished_at = CASE WHEN jobs.tasks_left = done.tasks THEN coalesce(jobs.finished_at, clock_timestamp()) ELSE jobs.finished_at END
  FROM (SELECT job_id, count(*)::int AS tasks FROM tasks_done WHERE counts AND state = 'succeeded' GROUP BY job_id) AS done
  WHERE jobs.id = done.job_id
  RETURNING jobs.id, jobs.state
)
INSERT INTO job_ends (job_id, state) SELECT id, state FROM jobs_done WHERE state = 'succeeded' ON CONFLICT DO NOTHING RETURNING job_id AS id`;

const LATER = `
WITH RECURSIVE later AS (
  SELECT id FROM tasks WHERE depends_on = $1 AND role = 'primary'
  UNION SELECT tasks.id FROM tasks JOIN later ON tasks.depends_on = later.id WHERE tasks.role = 'primary'
)`;
const IS_LATER = `(task.id IN (SELECT id FROM later) OR (task.role <> 'primary' AND task.root_id IN (SELECT id FROM later)))`;

/** Attempts before their tasks, as everywhere. */
const LOCK_LATER_ATTEMPTS = `
${LATER} SELECT 1 FROM attempts WHERE task_id IN (SELECT task.id FROM tasks AS task WHERE ${IS_LATER}) ORDER BY id FOR NO KEY UPDATE`;
const LOCK_LATER_TASKS = `
${LATER} SELECT 1 FROM tasks AS task WHERE ${IS_LATER} ORDER BY task.id FOR NO KEY UPDATE`;

/**
 * What the submitter asked for goes back in line while its job is open; checks of it are dropped, unless they are done. Attempts are
 * marked, so that whoever ran them may run the task again, and one that was lost cannot come back with an answer to the old question.
 */
const VOID = `
${LATER}, members AS (
  SELECT task.id, task.job_id, task.root_id, task.role, task.state, task.fence, job.state IN ('queued', 'running') AS open
  FROM tasks AS task JOIN jobs AS job ON job.id = task.job_id
  WHERE ${IS_LATER} AND task.state NOT IN ('cancelled', 'failed')
), had AS (
  SELECT members.id AS task_id, members.root_id, members.job_id, attempt.id AS attempt_id, attempt.worker_id, attempt.state
  FROM members LEFT JOIN attempts AS attempt ON attempt.task_id = members.id AND attempt.fence = members.fence
    AND (attempt.live OR attempt.state IN ('reported', 'disputed', 'accepted', 'lost'))
), marked AS (
  UPDATE attempts SET reason = 'void', live = false, finished_at = coalesce(attempts.finished_at, clock_timestamp()),
    state = CASE WHEN attempts.live THEN 'cancelled' WHEN attempts.state = 'lost' THEN 'stale' ELSE attempts.state END
  FROM had WHERE attempts.id = had.attempt_id
), accepted AS (
  INSERT INTO voided (attempt_id) SELECT attempt_id FROM had WHERE state = 'accepted' ON CONFLICT DO NOTHING
), back AS (
  UPDATE tasks SET waiting = false, state = CASE
    WHEN members.open AND members.role IN ('primary', 'replica') THEN 'queued'
    WHEN members.state = 'succeeded' THEN 'succeeded'
    ELSE 'cancelled' END
  FROM members WHERE tasks.id = members.id
  RETURNING tasks.job_id, members.role, members.state, members.open
), uncounted AS (
  UPDATE jobs SET tasks_left = jobs.tasks_left + redo.tasks
  FROM (SELECT job_id, count(*)::int AS tasks FROM back WHERE open AND role = 'primary' AND state = 'succeeded' GROUP BY job_id) AS redo
  WHERE jobs.id = redo.job_id
)
SELECT task_id, root_id, job_id, attempt_id, worker_id, coalesce(state IN ('reported', 'disputed'), false) AS reported FROM had`;
