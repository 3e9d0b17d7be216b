import { Injectable } from '@nestjs/common';
import type { WorkerId } from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { Wakeups } from '../platform/wakeups.js';
import { ReportsStore, type ItemsOf } from './reports.store.js';

/** Spellings of NUL and of half characters: text takes them, but jsonb, by which they are shown, does not. */
const UNKEEPABLE = /\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** Log lines kept of one attempt; what comes after is dropped, since output is the submitter's and disk is ours. */
const MAX_LINES = 20_000;

@Injectable()
export class PgReportsStore extends ReportsStore {
  constructor(
    private readonly db: Db,
    private readonly wakeups: Wakeups,
  ) {
    super();
  }

  async progress(workerId: WorkerId, items: ItemsOf<'progress'>): Promise<void> {
    await this.db.query(PROGRESS, [
      workerId,
      items.map(({ attemptId }) => attemptId),
      items.map(({ fence }) => fence),
      items.map(({ step }) => step),
      items.map(({ totalSteps }) => totalSteps),
      items.map(({ metrics }) => JSON.stringify(metrics).replaceAll(UNKEEPABLE, '\\ufffd')),
    ]);
    faultPoint('gateway.progress.after-commit');
    this.wakeups.local('job');
  }

  async logs(workerId: WorkerId, items: ItemsOf<'logs'>): Promise<void> {
    await this.db.query(LOGS, [
      workerId,
      items.map(({ attemptId }) => attemptId),
      items.map(({ fence }) => fence),
      items.map(({ line }) => line),
      items.map(({ stream }) => stream),
      items.map(({ text }) => text.replaceAll('\u0000', '\ufffd')), // PostgreSQL keeps every character but this one
      MAX_LINES,
    ]);
    this.wakeups.local('job');
  }

  async checkpoints(workerId: WorkerId, items: ItemsOf<'checkpoint'>): Promise<void> {
    await this.db.query(CHECKPOINTS, [
      workerId,
      items.map(({ attemptId }) => attemptId),
      items.map(({ fence }) => fence),
      items.map(({ step }) => step),
      items.map(({ digest }) => digest),
      items.map(({ sizeBytes }) => sizeBytes),
    ]);
    this.wakeups.local('job');
  }
}

const OWN =
  'JOIN attempts AS attempt ON attempt.id = item.attempt_id AND attempt.fence = item.fence AND attempt.worker_id = $1 AND attempt.live';

/** The last item of an attempt in a frame counts; a step never goes back. */
const PROGRESS = `
INSERT INTO attempt_progress (attempt_id, job_id, step, total_steps, metrics)
SELECT DISTINCT ON (attempt.id) attempt.id, attempt.job_id, item.step, item.total_steps, item.metrics
FROM unnest($2::text[], $3::int[], $4::int[], $5::int[], $6::text[]) AS item (attempt_id, fence, step, total_steps, metrics) ${OWN}
ORDER BY attempt.id, item.step DESC
ON CONFLICT (attempt_id) DO UPDATE SET step = excluded.step, total_steps = excluded.total_steps, metrics = excluded.metrics, at = clock_timestamp()
WHERE excluded.step >= attempt_progress.step`;

const LOGS = `
INSERT INTO attempt_logs (job_id, attempt_id, line, stream, text)
SELECT attempt.job_id, attempt.id, item.line, item.stream, item.text
FROM unnest($2::text[], $3::int[], $4::int[], $5::text[], $6::text[]) AS item (attempt_id, fence, line, stream, text) ${OWN}
WHERE item.line < $7 ON CONFLICT DO NOTHING`;

const CHECKPOINTS = `
INSERT INTO attempt_checkpoints (job_id, attempt_id, step, digest, size_bytes)
SELECT attempt.job_id, attempt.id, item.step, item.digest, item.size_bytes
FROM unnest($2::text[], $3::int[], $4::int[], $5::text[], $6::bigint[]) AS item (attempt_id, fence, step, digest, size_bytes) ${OWN}
ON CONFLICT DO NOTHING`;
