import { Injectable } from '@nestjs/common';
import type { AttemptId, Digest, JobId, TaskId, WorkerId } from '@tidemill/protocol';
import { digestOf } from '../jobs/pg-jobs.store.js';
import { fromJsonTexts, jsonTexts, type Tx } from '../platform/db/db.js';
import { resultOf, type SoundReceipt } from './check-receipts.js';
import {
  ReceiptsStore,
  type Dependent,
  type RefusedReceipt,
  type Taken,
  type Unanswered,
} from './receipts.store.js';

@Injectable()
export class PgReceiptsStore extends ReceiptsStore {
  async take(tx: Tx, receipts: readonly SoundReceipt[]): Promise<readonly Taken[]> {
    if (receipts.length === 0) return [];
    const rows = await tx.query<{
      id: AttemptId;
      task_id: TaskId;
      job_id: JobId;
      checked: boolean;
    }>(TAKE, [
      receipts.map(({ receipt }) => receipt.attemptId),
      receipts.map(({ receipt }) => receipt.taskId),
      receipts.map(({ receipt }) => receipt.jobId),
      receipts.map(({ receipt }) => receipt.workerId),
      receipts.map(({ receipt }) => receipt.fence),
      receipts.map(({ receipt }) => receipt.taskDigest),
      receipts.map(({ receipt }) => receipt.usage.billableMs),
      receipts.map(({ hash }) => hash),
      jsonTexts(receipts.map(({ text }) => text)),
      receipts.map(({ path }) => path),
      receipts.map(({ batchIndex }) => batchIndex),
      receipts.map(({ batchSize }) => batchSize),
      receipts.map(({ signature }) => signature),
      receipts.map(({ receipt }) => receipt.outcome),
      receipts.map(({ receipt }) => resultOf(receipt)),
    ]);
    return rows.map((row) => ({
      attemptId: row.id,
      taskId: row.task_id,
      jobId: row.job_id,
      isChecked: row.checked,
    }));
  }

  async known(tx: Tx, receipts: readonly SoundReceipt[]): Promise<ReadonlySet<string>> {
    const rows = await tx.query<{ hash: Buffer }>(
      `SELECT receipt.hash FROM unnest($1::text[], $2::bytea[]) AS sent (attempt_id, hash)
       JOIN receipts AS receipt ON receipt.attempt_id = sent.attempt_id AND receipt.hash = sent.hash`,
      [receipts.map(({ receipt }) => receipt.attemptId), receipts.map(({ hash }) => hash)],
    );
    return new Set(rows.map(({ hash }) => hash.toString('hex')));
  }

  async stillOpen(tx: Tx, reported: readonly Unanswered[]): Promise<readonly Unanswered[]> {
    const rows = await tx.query<{ id: AttemptId }>(
      `SELECT DISTINCT attempt.id FROM unnest($1::text[], $2::text[]) AS reported (attempt_id, worker_id)
       JOIN attempts AS attempt ON attempt.id = reported.attempt_id AND attempt.worker_id = reported.worker_id AND attempt.live
       JOIN tasks AS task ON task.id = attempt.task_id AND task.fence = attempt.fence AND task.state IN ('leased', 'running')`,
      [reported.map(({ attemptId }) => attemptId), reported.map(({ workerId }) => workerId)],
    );
    const open = new Set(rows.map(({ id }) => id));
    return reported.filter(({ attemptId }) => open.delete(attemptId));
  }

  async keepRefused(tx: Tx, refused: readonly RefusedReceipt[]): Promise<void> {
    await tx.query(
      `INSERT INTO receipts_refused (hash, attempt_id, worker_id, code, text)
       SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
      [
        refused.map(({ hash }) => hash),
        refused.map(({ attemptId }) => attemptId),
        refused.map(({ workerId }) => workerId),
        refused.map(({ code }) => code),
        refused.map(({ text }) => text.replaceAll('\u0000', '\ufffd')), // PostgreSQL keeps every character but this one
      ],
    );
  }

  async addOutputs(
    tx: Tx,
    outputs: readonly {
      taskId: TaskId;
      attemptId: AttemptId;
      name: string;
      digest: Digest;
      sizeBytes: number;
    }[],
  ): Promise<void> {
    if (outputs.length === 0) return;
    await tx.query(
      `INSERT INTO task_outputs (task_id, attempt_id, name, digest, size_bytes)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])`,
      [
        outputs.map(({ taskId }) => taskId),
        outputs.map(({ attemptId }) => attemptId),
        outputs.map(({ name }) => name),
        outputs.map(({ digest }) => digest),
        outputs.map(({ sizeBytes }) => sizeBytes),
      ],
    );
  }

  async dependents(tx: Tx, taskIds: readonly TaskId[]): Promise<readonly Dependent[]> {
    const rows = await tx.query<{
      id: TaskId;
      depends_on: TaskId;
      payload: string;
      inputs: string;
    }>(
      `SELECT id, depends_on, payload, inputs FROM tasks WHERE depends_on = ANY ($1) AND state = 'queued' AND NOT waiting`,
      [taskIds],
    );
    return rows.map(({ id, depends_on, payload, inputs }) => ({
      taskId: id,
      dependsOn: depends_on,
      payload,
      inputs,
    }));
  }

  async makeReady(
    tx: Tx,
    tasks: readonly { taskId: TaskId; payload: string; inputs: string; preferred: WorkerId }[],
  ): Promise<void> {
    await tx.query(
      `UPDATE tasks SET payload = ready.payload, payload_digest = ready.digest, inputs = ready.inputs, preferred_worker = ready.preferred, waiting = true
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS ready (id, payload, digest, inputs, preferred)
       WHERE tasks.id = ready.id AND tasks.state = 'queued'`,
      [
        tasks.map(({ taskId }) => taskId),
        tasks.map(({ payload }) => payload),
        tasks.map(({ payload }) => digestOf(payload)),
        tasks.map(({ inputs }) => inputs),
        tasks.map(({ preferred }) => preferred),
      ],
    );
  }
}

/**
 * Attempts are locked before their tasks, as everywhere, or two statements that end the same attempt deadlock. Both are found by
 * their key before their state is looked at; see the note in pg-leases.store.ts.
 */
const TAKE = `
WITH got AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::bigint[], $8::bytea[], ${fromJsonTexts('$9')}, $10::bytea[],
    $11::int[], $12::int[], $13::bytea[], $14::text[], $15::text[])
    AS got (attempt_id, task_id, job_id, worker_id, fence, task_digest, meter_ms, hash, text, path, batch_index, batch_size, signature, outcome, result)
  ORDER BY attempt_id
), open AS (
  SELECT got.* FROM got
  CROSS JOIN LATERAL (SELECT task_id, job_id, worker_id, fence, state FROM attempts WHERE attempts.id = got.attempt_id OFFSET 0 FOR NO KEY UPDATE) AS attempt
  CROSS JOIN LATERAL (SELECT fence, payload_digest, state FROM tasks WHERE tasks.id = attempt.task_id OFFSET 0 FOR NO KEY UPDATE) AS task
  WHERE attempt.task_id = got.task_id AND attempt.job_id = got.job_id AND attempt.worker_id = got.worker_id AND attempt.fence = got.fence
    AND attempt.state IN ('leased', 'running', 'lost')
    AND task.fence = got.fence AND task.payload_digest = got.task_digest AND task.state IN ('queued', 'leased', 'running')
), taken AS (
  UPDATE tasks SET state = 'verifying', waiting = false FROM open WHERE tasks.id = open.task_id RETURNING open.*
), asked AS (
  SELECT taken.*, job.max_duration_ms, job.verify <> '{"method":"none"}' AS checked FROM taken
  CROSS JOIN LATERAL (SELECT max_duration_ms, verify FROM jobs WHERE jobs.id = taken.job_id OFFSET 0) AS job
), reported AS (
  UPDATE attempts SET state = 'reported', live = false, reason = NULL, finished_at = clock_timestamp(),
    started_at = coalesce(attempts.started_at, attempts.leased_at),
    billable_ms = greatest(0, least(asked.meter_ms, asked.max_duration_ms,
      floor(extract(epoch FROM clock_timestamp() - coalesce(attempts.started_at, attempts.leased_at)) * 1000)::bigint))
  FROM asked WHERE attempts.id = asked.attempt_id
), kept AS (
  INSERT INTO receipts (attempt_id, task_id, job_id, worker_id, checked, hash, text, path, batch_index, batch_size, signature, outcome, result)
  SELECT attempt_id, task_id, job_id, worker_id, checked, hash, text, path, batch_index, batch_size, signature, outcome, result FROM asked
)
SELECT attempt_id AS id, task_id, job_id, checked FROM asked`;
