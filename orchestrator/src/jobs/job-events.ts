import { Injectable } from '@nestjs/common';
import type { JobEvent, JobId } from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { IS_CHARGED_ONCE } from './pg-jobs.store.js';

interface EventRow {
  readonly key: string;
  readonly micros: bigint;
  readonly type: JobEvent['type'];
  readonly data: Record<string, unknown>;
}

/** An event and the key a stream resumes from: microseconds, then a name that tells events of one moment apart. */
export interface KeyedEvent {
  readonly key: string;
  readonly event: JobEvent;
}

/**
 * What happened to a job, read from the rows that say so: there is no second record that could disagree. Keys sort by time, and
 * the same rows give the same keys.
 */
@Injectable()
export class JobEvents {
  constructor(private readonly db: Db) {}

  /** Events at or after a moment (microseconds since 1970), oldest first. */
  async since(jobId: JobId, micros: bigint): Promise<KeyedEvent[]> {
    const rows = await this.db.query<EventRow>(EVENTS, [jobId, micros]);
    return rows.map(({ key, micros: at, type, data }) => ({
      key: `${String(at).padStart(16, '0')}-${key}`,
      event: { id: Number(at), at: new Date(Number(at / 1000n)).toISOString(), type, data },
    }));
  }

  /** Whether the job has been paid for and what was left of its hold has gone back. */
  async isBilled(jobId: JobId): Promise<boolean> {
    return (await this.db.query(BILLED, [jobId])).length > 0;
  }
}

/**
 * A job's hold is released once, after everything that is charged to it: with the charge, where there is only one. Of a hold that
 * is used up nothing is left to release.
 */
const BILLED = `
SELECT 1 FROM ledger_entries WHERE ref = $1 AND kind = 'release'
UNION ALL SELECT 1 FROM jobs WHERE id = $1 AND ${IS_CHARGED_ONCE} AND EXISTS (SELECT FROM charges WHERE job_id = $1)
UNION ALL SELECT 1 FROM jobs WHERE id = $1
  AND hold = (SELECT sum(price) FROM charges WHERE job_id = $1 AND payer = 'submitter' AND NOT refunded)`;

const at = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

const EVENTS = `
WITH attempt AS (
  SELECT attempts.* FROM tasks JOIN attempts ON attempts.task_id = tasks.id WHERE tasks.job_id = $1
)
SELECT key, micros, type, data FROM (
  SELECT 'a' AS key, ${at('created_at')} AS micros, 'accepted' AS type, jsonb_build_object('kind', kind, 'hold', hold::text) AS data
    FROM jobs WHERE id = $1
  UNION ALL SELECT 'b' || id, ${at('leased_at')}, 'leased', jsonb_build_object('attempt', id, 'task', task_id, 'worker', worker_id, 'number', number)
    FROM attempt
  UNION ALL SELECT 'c' || id, ${at('started_at')}, 'running', jsonb_build_object('attempt', id, 'task', task_id, 'worker', worker_id)
    FROM attempt WHERE started_at IS NOT NULL
  UNION ALL SELECT 'd' || attempt_id || '-' || step, ${at('at')}, 'progress', jsonb_build_object('attempt', attempt_id, 'step', step, 'totalSteps', total_steps, 'metrics', metrics::jsonb)
    FROM attempt_progress WHERE job_id = $1
  UNION ALL SELECT 'e' || attempt_id || '-' || step, ${at('at')}, 'checkpoint', jsonb_build_object('attempt', attempt_id, 'step', step, 'digest', digest, 'sizeBytes', size_bytes)
    FROM attempt_checkpoints WHERE job_id = $1
  UNION ALL SELECT 'f' || id, ${at('finished_at')}, CASE WHEN state = 'lost' THEN 'lost' WHEN state IN ('reported', 'accepted', 'rejected', 'disputed') THEN 'reported' ELSE 'requeued' END,
      jsonb_build_object('attempt', id, 'task', task_id, 'worker', worker_id, 'state', state, 'reason', reason)
    FROM attempt WHERE finished_at IS NOT NULL
  UNION ALL SELECT 'i' || hold_warnings.attempt_id, ${at('hold_warnings.at')}, 'hold-low', jsonb_build_object('attempt', hold_warnings.attempt_id, 'limitMs', limit_ms)
    FROM hold_warnings WHERE job_id = $1
  UNION ALL SELECT 'g' || attempt_id, ${at('at')}, 'verdict', jsonb_build_object('attempt', attempt_id, 'verdict', verdict, 'reason', verdicts.reason)
    FROM attempt JOIN verdicts ON verdicts.attempt_id = attempt.id
  UNION ALL SELECT 'h' || attempt_id, ${at('at')}, 'booked', jsonb_build_object('attempt', attempt_id, 'price', price::text, 'fee', fee::text, 'payer', payer)
    FROM charges WHERE job_id = $1
  UNION ALL SELECT 'l' || attempt_id || '-' || line, ${at('at')}, 'log', jsonb_build_object('attempt', attempt_id, 'line', line, 'stream', stream, 'text', text)
    FROM attempt_logs WHERE job_id = $1
  UNION ALL SELECT 'z', ${at('job_ends.at')}, 'finished', jsonb_build_object('state', job_ends.state, 'code', jobs.reason_code, 'message', jobs.reason_message)
    FROM job_ends JOIN jobs ON jobs.id = job_ends.job_id WHERE job_ends.job_id = $1
) AS event
WHERE micros >= $2 ORDER BY micros, key`;
