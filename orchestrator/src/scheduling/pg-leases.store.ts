import { Injectable } from '@nestjs/common';
import { attemptLimitMs, HOLD_WARNING_PERCENT, MIN_RUN_MS } from '@tidemill/core/ledger';
import type { AttemptEnd } from '@tidemill/core/lease';
import type { KeptInputs } from '@tidemill/core/scheduler';
import type { AttemptId, JobId, Offer, TaskId, WorkerId } from '@tidemill/protocol';
import { fromJsonTexts, jsonTexts, type Tx } from '../platform/db/db.js';
import {
  LeasesStore,
  type EndedAttempt,
  type Held,
  type Leased,
  type NewLease,
  type Stopped,
} from './leases.store.js';

/** What an attempt is called when it ended so. */
const END_STATES: Record<AttemptEnd, string> = {
  lost: 'lost',
  worker_fault: 'failed',
  rejected: 'rejected',
  refused: 'cancelled',
  offer_timeout: 'cancelled',
  preempted: 'preempted',
};

@Injectable()
export class PgLeasesStore extends LeasesStore {
  async lease(tx: Tx, leases: readonly NewLease[]): Promise<readonly Leased[]> {
    const rows = await tx.query<OfferRow>(LEASE, [
      leases.map(({ taskId }) => taskId),
      leases.map(({ fence }) => fence),
      leases.map(({ attemptId }) => attemptId),
      leases.map(({ workerId }) => workerId),
      leases.map(({ revision }) => revision),
      leases.map(({ resources }) => resources.gpuMilli),
      leases.map(({ resources }) => resources.vramMib),
      leases.map(({ resources }) => resources.cpuMilli),
      leases.map(({ resources }) => resources.memoryMib),
      leases.map(({ resources }) => resources.diskMib),
    ]);
    const stands = new Set(rows.map(({ id }) => id));
    const bound = leases.filter(
      ({ attemptId, runtimeClass }) => runtimeClass !== null && stands.has(attemptId),
    );
    if (bound.length > 0) {
      await tx.query(BIND_CLASS, [
        bound.map(({ taskId }) => taskId),
        bound.map(({ runtimeClass }) => runtimeClass),
      ]);
    }
    return rows.map(leased);
  }

  async keepInputs(tx: Tx, { inputs, workerKinds }: KeptInputs): Promise<void> {
    await tx.query(KEEP_INPUTS, [
      Buffer.from(inputs.digest, 'hex'),
      inputs.text,
      workerKinds.map(({ digest }) => Buffer.from(digest, 'hex')),
      jsonTexts(workerKinds.map(({ text }) => text)),
    ]);
  }

  async forgetInputs(tx: Tx, olderThanMs: number): Promise<void> {
    await tx.query(
      `DELETE FROM plan_inputs WHERE at < clock_timestamp() - $1 * interval '1 millisecond'`,
      [olderThanMs],
    );
    await tx.query(FORGET_KINDS, [olderThanMs]);
  }

  async activate(tx: Tx, held: readonly Held[]): Promise<ReadonlySet<AttemptId>> {
    const rows = await tx.query<{ id: AttemptId }>(ACTIVATE, [
      held.map(({ attemptId }) => attemptId),
      held.map(({ fence }) => fence),
      held.map(({ workerId }) => workerId),
      held.map(({ agoMs }) => agoMs),
    ]);
    return new Set(rows.map(({ id }) => id));
  }

  async reconcile(tx: Tx, workerId: WorkerId, holding: readonly AttemptId[]) {
    const live = await tx.query<{ id: AttemptId; taken: boolean }>(
      `SELECT id, state = 'running' AS taken FROM attempts WHERE live AND worker_id = $1`,
      [workerId],
    );
    const ids = new Set(live.map(({ id }) => id));
    const held = new Set(holding);
    const forgotten = live.filter(({ id, taken }) => taken && !held.has(id)).map(({ id }) => id);
    return { kept: holding.filter((id) => ids.has(id)), forgotten };
  }

  async endAttempts(
    tx: Tx,
    ends: readonly { attemptId: AttemptId; end: AttemptEnd; detail: string | null }[],
    workerId: WorkerId | null,
  ) {
    if (ends.length === 0) return [];
    const rows = await tx.query<EndRow>(END_ATTEMPTS, [
      ends.map(({ attemptId }) => attemptId),
      ends.map(({ end }) => END_STATES[end]),
      ends.map(({ detail, end }) => detail ?? end),
      workerId,
    ]);
    const byId = new Map(ends.map((end) => [end.attemptId, end]));
    return rows.flatMap((row): EndedAttempt[] => {
      const wanted = byId.get(row.id);
      if (wanted === undefined) return [];
      const { end, detail } = wanted;
      return [
        {
          attemptId: row.id,
          taskId: row.task_id,
          jobId: row.job_id,
          workerId: row.worker_id,
          attemptsUsed: row.attempts_used,
          maxAttempts: row.max_attempts,
          end,
          detail,
        },
      ];
    });
  }

  async requeue(
    tx: Tx,
    tasks: readonly { taskId: TaskId; free: boolean; exclude: WorkerId | null }[],
  ): Promise<void> {
    if (tasks.length === 0) return;
    await tx.query(REQUEUE, [
      tasks.map(({ taskId }) => taskId),
      tasks.map(({ free }) => free),
      tasks.map(({ exclude }) => exclude),
    ]);
  }

  async fail(tx: Tx, taskIds: readonly TaskId[]): Promise<void> {
    if (taskIds.length === 0) return;
    await tx.query(
      `UPDATE tasks SET state = 'failed', waiting = false WHERE id = ANY ($1) AND state IN ('queued', 'leased', 'running', 'verifying')`,
      [taskIds],
    );
  }

  ofLostWorkers(tx: Tx, limit: number): Promise<readonly { id: AttemptId; taken: boolean }[]> {
    return tx.query<{ id: AttemptId; taken: boolean }>(
      `SELECT attempt.id, attempt.state = 'running' AS taken FROM workers AS worker JOIN attempts AS attempt ON attempt.worker_id = worker.id AND attempt.live
       WHERE worker.state IN ('lost', 'suspended') ORDER BY attempt.id LIMIT $1`,
      [limit],
    );
  }

  async staleOffers(tx: Tx, olderThanMs: number, limit: number): Promise<readonly AttemptId[]> {
    const rows = await tx.query<{ id: AttemptId }>(
      `SELECT id FROM attempts WHERE live AND state = 'leased' AND leased_at < clock_timestamp() - $1 * interval '1 millisecond' ORDER BY id LIMIT $2`,
      [olderThanMs, limit],
    );
    return rows.map(({ id }) => id);
  }

  async overrun(tx: Tx, graceMs: number, limit: number): Promise<readonly AttemptId[]> {
    const rows = await tx.query<{ id: AttemptId }>(OVERRUN, [graceMs, limit]);
    return rows.map(({ id }) => id);
  }

  async warnOfHolds(tx: Tx): Promise<number> {
    return (await tx.query(WARN_OF_HOLDS)).length;
  }

  async cancelOrphans(tx: Tx, limit: number) {
    const rows = await tx.query<{ worker_id: WorkerId; id: AttemptId }>(CANCEL_ORPHANS, [limit]);
    return rows.map(({ worker_id, id }) => ({ workerId: worker_id, attemptId: id }));
  }

  async stopped(tx: Tx, attemptIds: readonly AttemptId[]): Promise<readonly Stopped[]> {
    const rows = await tx.query<{ id: AttemptId; worker_id: WorkerId; cancelled: boolean | null }>(
      STOPPED,
      [attemptIds],
    );
    return rows.map(({ id, worker_id, cancelled }) => ({
      workerId: worker_id,
      attemptId: id,
      reason: cancelled === true ? 'cancelled' : 'lost',
    }));
  }

  async openOffers(tx: Tx, workerIds: readonly WorkerId[]): Promise<readonly Leased[]> {
    return (await tx.query<OfferRow>(OPEN_OFFERS, [workerIds])).map(leased);
  }
}

type Role = Parameters<typeof attemptLimitMs>[1];

interface OfferRow {
  readonly id: AttemptId;
  readonly task_id: TaskId;
  readonly job_id: JobId;
  readonly worker_id: WorkerId;
  readonly fence: number;
  readonly payload: string;
  readonly inputs: string;
  readonly max_duration_ms: bigint;
  readonly task_cap: bigint;
  readonly role: Role;
  readonly gpu_ask: bigint;
  readonly cpu_ask: bigint;
  readonly gpu_milli: number;
  readonly vram_mib: number;
  readonly cpu_milli: number;
  readonly memory_mib: number;
  readonly disk_mib: number;
}

interface EndRow {
  readonly id: AttemptId;
  readonly task_id: TaskId;
  readonly job_id: JobId;
  readonly worker_id: WorkerId;
  readonly attempts_used: number;
  readonly max_attempts: number;
}

function leased(row: OfferRow): Leased {
  return {
    workerId: row.worker_id,
    offer: {
      jobId: row.job_id,
      taskId: row.task_id,
      attemptId: row.id,
      fence: row.fence,
      payload: row.payload,
      inputs: row.inputs === '[]' ? [] : (JSON.parse(row.inputs) as Offer['inputs']), // written at acceptance from this type
      needs: {
        gpuMilli: row.gpu_milli,
        vramMib: row.vram_mib,
        cpuMilli: row.cpu_milli,
        memoryMib: row.memory_mib,
        diskMib: row.disk_mib,
      },
      maxDurationMs: attemptLimitMs(
        Number(row.max_duration_ms),
        row.role,
        row.task_cap,
        { gpuMilli: row.gpu_milli, cpuMilli: row.cpu_milli },
        { gpuHour: row.gpu_ask, cpuHour: row.cpu_ask },
      ),
    },
  };
}

/**
 * Rows are found and locked by their key in a LATERAL subquery before their state is looked at. Said as one join, the planner
 * believes statistics from a quiet moment ("no task waits"), expects a single row, and scans the list once for each of thousands.
 */
const LEASE = `
WITH plan AS (
  SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[])
    AS plan (task_id, fence, attempt_id, worker_id, revision, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib) ORDER BY task_id
), open AS (
  SELECT plan.*, task.job_id, worker.gpu_ask, worker.cpu_ask FROM plan
  CROSS JOIN LATERAL (SELECT job_id, fence, waiting FROM tasks WHERE tasks.id = plan.task_id OFFSET 0 FOR NO KEY UPDATE) AS task
  CROSS JOIN LATERAL (SELECT gpu_ask, cpu_ask, revision, state FROM workers WHERE workers.id = plan.worker_id OFFSET 0) AS worker
  WHERE task.fence = plan.fence AND task.waiting AND worker.revision = plan.revision AND worker.state = 'online'
), chosen AS (
  UPDATE tasks SET state = 'leased', waiting = false, fence = tasks.fence + 1, attempts_used = tasks.attempts_used + 1
  FROM open WHERE tasks.id = open.task_id
  RETURNING open.*, tasks.fence AS new_fence, tasks.attempts_used, tasks.payload, tasks.inputs, tasks.role
), made AS (
  INSERT INTO attempts (id, task_id, job_id, worker_id, number, fence, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, gpu_ask, cpu_ask)
  SELECT attempt_id, task_id, job_id, worker_id, attempts_used, new_fence, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, gpu_ask, cpu_ask
  FROM chosen
)
SELECT attempt_id AS id, task_id, chosen.job_id, worker_id, new_fence AS fence, payload, inputs, role, job.max_duration_ms, job.task_cap, gpu_milli, vram_mib,
  cpu_milli, memory_mib, disk_mib, gpu_ask, cpu_ask
FROM chosen CROSS JOIN LATERAL (SELECT max_duration_ms, task_cap FROM jobs WHERE jobs.id = chosen.job_id OFFSET 0) AS job`;

const BIND_CLASS = `
UPDATE tasks SET runtime_class = bound.class
FROM unnest($1::text[], $2::text[]) AS bound (task_id, class) JOIN tasks AS leased ON leased.id = bound.task_id
WHERE (tasks.id = leased.root_id OR (tasks.root_id = leased.root_id AND tasks.role <> 'primary')) AND tasks.runtime_class IS NULL`;

const ACTIVATE = `
WITH held AS (
  SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::double precision[]) AS held (attempt_id, fence, worker_id, ago) ORDER BY attempt_id
), open AS (
  SELECT held.attempt_id, held.ago, attempt.task_id, attempt.job_id, attempt.state FROM held
  CROSS JOIN LATERAL (SELECT task_id, job_id, worker_id, fence, state, live FROM attempts WHERE attempts.id = held.attempt_id OFFSET 0 FOR NO KEY UPDATE) AS attempt
  WHERE attempt.fence = held.fence AND attempt.worker_id = held.worker_id AND attempt.live AND attempt.state IN ('leased', 'running')
), active AS (
  UPDATE attempts SET state = 'running', started_at = greatest(attempts.leased_at, clock_timestamp() - open.ago * interval '1 millisecond')
  FROM open WHERE attempts.id = open.attempt_id AND open.state = 'leased'
  RETURNING attempts.id, open.task_id, open.job_id
), running AS (
  UPDATE tasks SET state = 'running'
  FROM (SELECT task_id FROM active CROSS JOIN LATERAL (SELECT state FROM tasks WHERE tasks.id = active.task_id OFFSET 0 FOR NO KEY UPDATE) AS task
        WHERE task.state = 'leased') AS leased
  WHERE tasks.id = leased.task_id
), started AS (
  UPDATE jobs SET state = 'running', started_at = clock_timestamp()
  FROM (SELECT job_id FROM (SELECT DISTINCT job_id FROM active) AS active
        CROSS JOIN LATERAL (SELECT state FROM jobs WHERE jobs.id = active.job_id OFFSET 0 FOR NO KEY UPDATE) AS job WHERE job.state = 'queued') AS queued
  WHERE jobs.id = queued.job_id
)
SELECT attempt_id AS id FROM open`;

/**
 * A referee outlives its job, which cannot fail any more: it is tried until it has decided or nobody is left who could, or its job
 * would never be billed. An audit was not asked for by the submitter, so its job does not fail with it: once its attempts are used
 * up it waits, is offered to nobody, and is waived.
 */
const END_ATTEMPTS = `
WITH wanted AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (attempt_id, state, reason) ORDER BY attempt_id
), open AS (
  SELECT wanted.* FROM wanted
  CROSS JOIN LATERAL (SELECT worker_id, live FROM attempts WHERE attempts.id = wanted.attempt_id OFFSET 0 FOR NO KEY UPDATE) AS attempt
  WHERE attempt.live AND ($4::text IS NULL OR attempt.worker_id = $4)
), ended AS (
  UPDATE attempts SET state = open.state, live = false, reason = open.reason, finished_at = clock_timestamp()
  FROM open WHERE attempts.id = open.attempt_id
  RETURNING attempts.id, attempts.task_id, attempts.job_id, attempts.worker_id, attempts.fence, attempts.state
), counted AS (
  UPDATE workers SET lost = workers.lost + counts.lost, failed = workers.failed + counts.failed
  FROM (SELECT worker_id, count(*) FILTER (WHERE state = 'lost') AS lost, count(*) FILTER (WHERE state = 'failed') AS failed FROM ended GROUP BY worker_id) AS counts
  WHERE workers.id = counts.worker_id AND counts.lost + counts.failed > 0
)
SELECT ended.id, ended.task_id, ended.job_id, ended.worker_id, task.attempts_used,
  CASE WHEN job.state IN ('queued', 'running') AND task.role <> 'audit' THEN job.max_attempts ELSE 32767 END AS max_attempts
FROM ended JOIN tasks AS task ON task.id = ended.task_id AND task.fence = ended.fence AND task.state IN ('leased', 'running')
JOIN jobs AS job ON job.id = ended.job_id`;

const REQUEUE = `
UPDATE tasks SET state = 'queued', waiting = true, attempts_used = tasks.attempts_used - CASE WHEN back.free THEN 1 ELSE 0 END,
  excluded = CASE WHEN back.exclude IS NULL THEN tasks.excluded ELSE array_append(tasks.excluded, back.exclude) END
FROM unnest($1::text[], $2::boolean[], $3::text[]) AS back (task_id, free, exclude)
WHERE tasks.id = back.task_id AND tasks.state IN ('leased', 'running', 'verifying')`;

/** `attemptLimitMs` of core, in SQL; a test compares the two. */
export const LIMIT_MS = `CASE WHEN task.role IN ('primary', 'replica')
  THEN least(job.max_duration_ms, greatest(${MIN_RUN_MS}, floor(job.task_cap * 3600000000.0 /
    nullif(CASE WHEN attempt.gpu_milli > 0 THEN attempt.gpu_milli::numeric * attempt.gpu_ask ELSE attempt.cpu_milli::numeric * attempt.cpu_ask END, 0))))::bigint
  ELSE job.max_duration_ms END`;

const OVERRUN = `
SELECT attempt.id FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id JOIN jobs AS job ON job.id = task.job_id
WHERE attempt.live AND attempt.started_at < clock_timestamp() - (${LIMIT_MS} + $1) * interval '1 millisecond' ORDER BY attempt.id LIMIT $2`;

const WARN_OF_HOLDS = `
WITH low AS (
  INSERT INTO hold_warnings (attempt_id, job_id, limit_ms)
  SELECT attempt.id, job.id, ${LIMIT_MS}
  FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id JOIN jobs AS job ON job.id = attempt.job_id
  WHERE attempt.live AND ${LIMIT_MS} < job.max_duration_ms
    AND attempt.started_at < clock_timestamp() - ${LIMIT_MS} * ${HOLD_WARNING_PERCENT} / 100 * interval '1 millisecond'
  ON CONFLICT DO NOTHING RETURNING attempt_id, job_id, limit_ms
)
SELECT announce(job.account_id, 'job.hold-low', jsonb_build_object('id', job.id, 'kind', job.kind, 'name', job.name,
  'labels', coalesce(job.labels, '{}'), 'state', job.state, 'attempt', low.attempt_id, 'limitMs', low.limit_ms))
FROM low JOIN jobs AS job ON job.id = low.job_id`;

/** What another statement ends at this moment is left to it: two that wait for each other's attempts would deadlock. */
const CANCEL_ORPHANS = `
UPDATE attempts SET state = 'cancelled', live = false, reason = 'job ended', finished_at = clock_timestamp()
WHERE live AND id IN (
  SELECT attempt.id FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id
  WHERE attempt.live AND task.state IN ('cancelled', 'failed') ORDER BY attempt.id LIMIT $1 FOR NO KEY UPDATE OF attempt SKIP LOCKED
) RETURNING worker_id, id`;

const STOPPED = `
SELECT id, worker_id, reason = 'job ended' AS cancelled FROM attempts WHERE id = ANY ($1) AND state IN ('cancelled', 'lost', 'stale') ORDER BY id`;

const OPEN_OFFERS = `
SELECT attempt.id, attempt.task_id, attempt.job_id, attempt.worker_id, attempt.fence, task.payload, task.inputs, task.role, job.max_duration_ms, job.task_cap,
  attempt.gpu_milli, attempt.vram_mib, attempt.cpu_milli, attempt.memory_mib, attempt.disk_mib, attempt.gpu_ask, attempt.cpu_ask
FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id JOIN jobs AS job ON job.id = attempt.job_id
WHERE attempt.live AND attempt.state = 'leased' AND attempt.worker_id = ANY ($1)`;

/** A kind says once a day that plans still name it, so one that has not for that much longer is named by none that is kept. */
const FORGET_KINDS = `
DELETE FROM worker_kinds WHERE at < clock_timestamp() - $1 * interval '1 millisecond' - interval '2 days'`;

/** Kinds of workers are the same from plan to plan. In order of their digest, or two plans that bring new ones wait for each other. */
const KEEP_INPUTS = `
WITH kinds AS (
  INSERT INTO worker_kinds (digest, text) SELECT * FROM (
    SELECT digest, text FROM unnest($3::bytea[], ${fromJsonTexts('$4')}) AS kind (digest, text)
    WHERE NOT EXISTS (SELECT FROM worker_kinds AS known WHERE known.digest = kind.digest AND known.at > clock_timestamp() - interval '1 day')
  ) AS fresh ORDER BY digest ON CONFLICT (digest) DO UPDATE SET at = clock_timestamp()
)
INSERT INTO plan_inputs (digest, text, kinds) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;
