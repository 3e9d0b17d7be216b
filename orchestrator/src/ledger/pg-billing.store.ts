import { Injectable } from '@nestjs/common';
import type { JobId } from '@tidemill/protocol';
import { IS_CHARGED_ONCE } from '../jobs/pg-jobs.store.js';
import type { Tx } from '../platform/db/db.js';
import type { Window } from '../platform/db/stage-cursors.js';
import {
  BillingStore,
  type Charge,
  type Due,
  type Leftover,
  type Refund,
  type Ripe,
} from './billing.store.js';

@Injectable()
export class PgBillingStore extends BillingStore {
  async due(
    tx: Tx,
    window: Window,
    limit: number,
  ): Promise<{ rows: readonly Due[]; to: string; more: boolean }> {
    const rows = await tx.query<Due>(DUE, [window.from, window.to, limit + 1]);
    if (rows.length <= limit) return { rows, to: window.to, more: false };
    const last = rows.at(-1)?.xid ?? window.to;
    return { rows: rows.filter(({ xid }) => xid !== last), to: last, more: true };
  }

  async addCharges(tx: Tx, charges: readonly Charge[], released: boolean): Promise<void> {
    if (charges.length === 0) return;
    await tx.query(
      `INSERT INTO charges (attempt_id, job_id, worker_id, price, fee, payer, settled, worker_results, released)
       SELECT charge.*, worker.accepted, $8
       FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::boolean[]) AS charge (attempt_id, job_id, worker_id, price, fee, payer, settled)
       JOIN workers AS worker ON worker.id = charge.worker_id`,
      [
        charges.map(({ attemptId }) => attemptId),
        charges.map(({ jobId }) => jobId),
        charges.map(({ workerId }) => workerId),
        charges.map(({ price }) => price),
        charges.map(({ fee }) => fee),
        charges.map(({ payer }) => payer),
        charges.map(({ settled }) => settled),
        released,
      ],
    );
  }

  refund(tx: Tx, window: Window): Promise<Refund[]> {
    return tx.query<Refund>(REFUND, [window.from, window.to]);
  }

  leftovers(
    tx: Tx,
    window: Window,
    billed: readonly JobId[],
    settled: readonly JobId[],
  ): Promise<Leftover[]> {
    return tx.query<Leftover>(LEFTOVERS, [window.from, window.to, billed, settled]);
  }

  async settle(tx: Tx, jobs: readonly JobId[]): Promise<void> {
    await tx.query(
      'UPDATE charges SET settled = true WHERE job_id = ANY ($1::text[]) AND NOT settled',
      [jobs],
    );
  }

  release(tx: Tx, afterMs: number, afterResults: number, limit: number): Promise<Ripe[]> {
    return tx.query<Ripe>(RELEASE, [afterMs, afterResults, limit]);
  }
}

const DUE = `
SELECT verdict.attempt_id, verdict.job_id, job.account_id, attempt.worker_id, verdict.payer, attempt.gpu_milli, attempt.cpu_milli,
  attempt.gpu_ask, attempt.cpu_ask, coalesce(attempt.billable_ms, 0) AS billable_ms, job.task_cap, job.hold, job.is_only, verdict.xid::text AS xid
FROM verdicts AS verdict
CROSS JOIN LATERAL (SELECT worker_id, gpu_milli, cpu_milli, gpu_ask, cpu_ask, billable_ms FROM attempts WHERE attempts.id = verdict.attempt_id OFFSET 0) AS attempt
CROSS JOIN LATERAL (
  SELECT account_id, task_cap, hold, ${IS_CHARGED_ONCE} AS is_only FROM jobs WHERE jobs.id = verdict.job_id OFFSET 0
) AS job
WHERE verdict.xid >= $1::xid8 AND verdict.xid < $2::xid8
ORDER BY verdict.xid LIMIT $3`;

/** Verdicts come before what takes them back, so their charges are there when this is asked after them. */
const REFUND = `
UPDATE charges SET refunded = true FROM voided, jobs AS job
WHERE voided.xid >= $1::xid8 AND voided.xid < $2::xid8 AND charges.attempt_id = voided.attempt_id AND job.id = charges.job_id
  AND charges.payer = 'submitter' AND NOT charges.refunded
RETURNING charges.attempt_id, charges.job_id, job.account_id, charges.price`;

const LEFTOVERS = `
WITH candidates AS (
  SELECT job_id FROM job_ends WHERE xid >= $1::xid8 AND xid < $2::xid8 AND job_id <> ALL ($4::text[])
  UNION SELECT job_ends.job_id FROM unnest($3::text[]) AS billed (job_id) JOIN job_ends ON job_ends.job_id = billed.job_id
)
SELECT job.id AS job_id, job.account_id,
  (job.hold - coalesce((SELECT sum(price) FROM charges WHERE charges.job_id = job.id AND charges.payer = 'submitter' AND NOT charges.refunded), 0))::bigint AS amount
FROM candidates JOIN jobs AS job ON job.id = candidates.job_id
WHERE NOT EXISTS (SELECT FROM tasks WHERE tasks.job_id = job.id AND tasks.state = 'verifying')
  AND NOT EXISTS (
    SELECT FROM tasks AS task JOIN attempts AS attempt ON attempt.task_id = task.id JOIN verdicts AS verdict ON verdict.attempt_id = attempt.id
      LEFT JOIN charges AS charge ON charge.attempt_id = attempt.id
    WHERE task.job_id = job.id AND verdict.payer = 'submitter' AND charge.attempt_id IS NULL)`;

const RELEASE = `
UPDATE charges SET released = true WHERE attempt_id IN (
  SELECT charge.attempt_id FROM charges AS charge JOIN workers AS worker ON worker.id = charge.worker_id
  WHERE NOT charge.released AND charge.at < clock_timestamp() - $1 * interval '1 millisecond'
    AND worker.accepted - charge.worker_results >= $2
  ORDER BY charge.at LIMIT $3 FOR UPDATE OF charge SKIP LOCKED
) RETURNING attempt_id, worker_id, (price - fee)::bigint AS amount`;
