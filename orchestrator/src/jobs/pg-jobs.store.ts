import { Injectable } from '@nestjs/common';
import { copiesOf } from '@tidemill/core/job';
import type { OpenWorker } from '@tidemill/core/scheduler';
import type { AccountId, Digest, JobId, JobSpec } from '@tidemill/protocol';
import { hash } from 'node:crypto';
import { fromJsonTexts, jsonTexts, type Tx } from '../platform/db/db.js';
import { workersOnline } from './worker-rows.js';
import {
  JobsStore,
  type JobEnd,
  type KeyClaim,
  type KeyedRequest,
  type NewJob,
} from './jobs.store.js';

@Injectable()
export class PgJobsStore extends JobsStore {
  async insert(tx: Tx, jobs: readonly NewJob[]): Promise<void> {
    const drafts = jobs.map(({ draft }) => draft);
    await tx.query(INSERT_JOBS, [
      jobs.map(({ accountId }) => accountId),
      jobs.map(({ id }) => id),
      drafts.map(({ kind }) => kind),
      drafts.map(({ spec }) => spec.name ?? null),
      jsonTexts(drafts.map(({ specText }) => specText)),
      jsonTexts(drafts.map(({ needs }) => JSON.stringify(needs))),
      drafts.map(({ verify }) => JSON.stringify(verify)),
      drafts.map(({ priority }) => priority),
      drafts.map(({ maxAttempts }) => maxAttempts),
      drafts.map(({ maxDurationMs }) => maxDurationMs),
      drafts.map(({ maxGpuAsk }) => maxGpuAsk),
      drafts.map(({ maxCpuAsk }) => maxCpuAsk),
      drafts.map(({ hold }) => hold),
      drafts.map(({ taskCap }) => taskCap),
      drafts.map(({ tasks }) => tasks.length),
      drafts.map(({ deadline }) => deadline),
      drafts.map(({ spec }) => labelsText(spec)),
      jobs.map(({ budgetKey }) => budgetKey),
    ]);
    const tasks = jobs.flatMap(taskRows);
    await tx.query(INSERT_TASKS, [
      tasks.map(({ id }) => id),
      tasks.map(({ jobId }) => jobId),
      tasks.map(({ index }) => index),
      tasks.map(({ role }) => role),
      tasks.map(({ rootId }) => rootId),
      tasks.map(({ dependsOn }) => dependsOn),
      tasks.map(({ priority }) => priority),
      tasks.map(({ audited }) => audited),
      tasks.map(({ payload }) => payload),
      tasks.map(({ payload }) => digestOf(payload)),
      tasks.map(({ inputs }) => inputs),
    ]);
  }

  async claimKeys(tx: Tx, claims: readonly KeyClaim[]): Promise<ReadonlySet<KeyClaim>> {
    const firsts = new Map([...claims].reverse().map((claim) => [nameOf(claim), claim]));
    const wanted = [...firsts.values()];
    const taken = await tx.query<{ account_id: AccountId; key: string }>(CLAIM_KEYS, [
      wanted.map(({ accountId }) => accountId),
      wanted.map(({ key }) => key),
      wanted.map(({ operation }) => operation),
      wanted.map(({ bodyDigest }) => bodyDigest),
      jsonTexts(wanted.map(({ answer }) => answer)),
    ]);
    return new Set(
      taken.flatMap(
        ({ account_id, key }) => firsts.get(nameOf({ accountId: account_id, key })) ?? [],
      ),
    );
  }

  async keyedRequest(tx: Tx, accountId: AccountId, key: string): Promise<KeyedRequest | null> {
    const [row] = await tx.query<{ operation: string; body_digest: Buffer; answer: string }>(
      'SELECT operation, body_digest, answer FROM idempotency_keys WHERE account_id = $1 AND key = $2',
      [accountId, key],
    );
    if (row === undefined) return null;
    return { operation: row.operation, bodyDigest: row.body_digest, answer: row.answer };
  }

  async end(tx: Tx, ends: readonly JobEnd[]): Promise<readonly JobId[]> {
    const rows = await tx.query<{ job_id: JobId }>(END_JOBS, [
      ends.map(({ jobId }) => jobId),
      ends.map(({ state }) => state),
      ends.map(({ code }) => code),
      ends.map(({ message }) => message),
    ]);
    return rows.map(({ job_id }) => job_id);
  }

  async overdue(tx: Tx, limit: number): Promise<readonly JobId[]> {
    const rows = await tx.query<{ id: JobId }>(
      `SELECT id FROM jobs WHERE deadline < clock_timestamp() AND state IN ('queued', 'running') ORDER BY id LIMIT $1`,
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  async openJobReading(tx: Tx, accountId: AccountId, digest: Digest): Promise<JobId | null> {
    const [row] = await tx.query<{ id: JobId }>(OPEN_JOB_READING, [accountId, digest]);
    return row?.id ?? null;
  }

  async forgetKeys(tx: Tx, olderThanMs: number): Promise<void> {
    await tx.query(
      `DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - $1 * interval '1 millisecond'`,
      [olderThanMs],
    );
  }

  workersOnline(tx: Tx): Promise<readonly OpenWorker[]> {
    return workersOnline(tx);
  }

  async waiting(tx: Tx): Promise<ReadonlyMap<string, number>> {
    const rows = await tx.query<{ account_id: string; waiting: number }>(
      `SELECT job.account_id, count(*)::int AS waiting FROM tasks JOIN jobs AS job ON job.id = tasks.job_id
       WHERE tasks.waiting GROUP BY job.account_id`,
    );
    return new Map(rows.map(({ account_id, waiting }) => [account_id, waiting]));
  }
}

/** Primaries first, then the copies of each: the order of `taskIds`. */
function taskRows({ id: jobId, draft, taskIds }: NewJob) {
  const copies = copiesOf(draft.verify);
  return Array.from({ length: copies }, (_, copy) =>
    draft.tasks.map((task, index) => ({
      id: taskIds[copy * draft.tasks.length + index],
      jobId,
      index,
      role: copy === 0 ? 'primary' : 'replica',
      rootId: taskIds[index],
      dependsOn: task.dependsOn === null ? null : taskIds[task.dependsOn],
      priority: draft.priority,
      audited: task.audited,
      payload: task.payload,
      inputs: JSON.stringify(task.inputs),
    })),
  ).flat();
}

/** Null for a job without labels: the index of labels does not know it then. */
function labelsText({ labels = {} }: JobSpec): string | null {
  return Object.keys(labels).length === 0 ? null : JSON.stringify(labels);
}

export const digestOf = (payload: string): string => `sha256:${hash('sha256', payload)}`;

const nameOf = ({ accountId, key }: Pick<KeyClaim, 'accountId' | 'key'>) => `${accountId} ${key}`;

/** Of a row of `jobs`: whether one verdict decides all it will ever cost, since it has one task and nobody checks it. */
export const IS_CHARGED_ONCE = `tasks_total = 1 AND verify = '{"method":"none"}'`;

const INSERT_JOBS = `
INSERT INTO jobs (account_id, id, kind, name, spec, needs, verify, priority, max_attempts, max_duration_ms, max_gpu_ask, max_cpu_ask,
  hold, task_cap, tasks_total, tasks_left, deadline, labels, key_id, announced)
SELECT account_id, id, kind, name, spec, needs, verify, priority, max_attempts, max_duration_ms, max_gpu_ask, max_cpu_ask,
  hold, task_cap, tasks, tasks, deadline, labels::jsonb, key_id,
  EXISTS (SELECT FROM webhook_endpoints WHERE webhook_endpoints.account_id = job.account_id)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], ${fromJsonTexts('$5')}, ${fromJsonTexts('$6')}, $7::text[], $8::int[], $9::int[], $10::bigint[],
  $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::int[], $16::timestamptz[], $17::text[], $18::text[])
  AS job (account_id, id, kind, name, spec, needs, verify, priority, max_attempts, max_duration_ms, max_gpu_ask, max_cpu_ask, hold, task_cap, tasks, deadline, labels, key_id)`;

/** In order, or two transactions that want the same keys wait for each other. */
const CLAIM_KEYS = `
INSERT INTO idempotency_keys (account_id, key, operation, body_digest, answer)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], ${fromJsonTexts('$5')}) ORDER BY 1, 2
ON CONFLICT DO NOTHING RETURNING account_id, key`;

const INSERT_TASKS = `
INSERT INTO tasks (id, job_id, idx, role, root_id, depends_on, waiting, priority, audited, payload, payload_digest, inputs)
SELECT id, job_id, idx, role, root_id, depends_on, depends_on IS NULL, priority, audited, payload, payload_digest, inputs
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::boolean[], $9::text[], $10::text[], $11::text[])
  AS task (id, job_id, idx, role, root_id, depends_on, priority, audited, payload, payload_digest, inputs)`;

const OPEN_JOB_READING = `
SELECT job.id FROM jobs AS job
WHERE job.account_id = $1 AND job.state IN ('queued', 'running')
  AND EXISTS (SELECT FROM tasks WHERE tasks.job_id = job.id AND strpos(tasks.inputs, $2) > 0) LIMIT 1`;

/** A task that has reported goes on to its verdict: the work was done, and is paid if it was right. */
const END_JOBS = `
WITH wanted AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (job_id, state, code, message)
), ended AS (
  INSERT INTO job_ends (job_id, state) SELECT job_id, state FROM wanted ORDER BY job_id ON CONFLICT DO NOTHING RETURNING job_id, state
), closed AS (
  UPDATE jobs SET state = ended.state, reason_code = wanted.code, reason_message = wanted.message, finished_at = clock_timestamp()
  FROM ended JOIN wanted USING (job_id) WHERE jobs.id = ended.job_id
), dropped AS (
  UPDATE tasks SET state = 'cancelled', waiting = false
  FROM ended WHERE ended.state <> 'succeeded' AND tasks.job_id = ended.job_id AND tasks.state IN ('queued', 'leased', 'running')
)
SELECT job_id FROM ended`;
