import { Injectable } from '@nestjs/common';
import type { Needs } from '@tidemill/core/job';
import type { OpenWorker, QueuedTask, Snapshot } from '@tidemill/core/scheduler';
import type { TaskId, WorkerId } from '@tidemill/protocol';
import { openWorker, WORKER_COLUMNS, type WorkerRow } from '../jobs/worker-rows.js';
import { Db } from '../platform/db/db.js';
import { PASSED_MS, Snapshots } from './snapshots.store.js';

interface TaskRow {
  readonly id: TaskId;
  readonly fence: number;
  readonly priority: number;
  readonly family: string | null;
  readonly runtime_class: string | null;
  readonly excluded: WorkerId[] | null;
  readonly siblings: WorkerId[] | null;
  readonly sibling_operators: string[] | null;
  readonly passed: WorkerId[] | null;
  readonly preferred_worker: WorkerId | null;
  readonly needs: string;
  readonly max_gpu_ask: bigint | null;
  readonly max_cpu_ask: bigint | null;
}

interface UsedRow {
  readonly worker_id: WorkerId;
  readonly attempts: number;
  readonly gpu_milli: number;
  readonly vram_mib: number;
  readonly cpu_milli: number;
  readonly memory_mib: number;
  readonly disk_mib: number;
}

/** Needs by their text: jobs ask the same few things, and the same object lets the scheduler group them. */
const MAX_KEPT_NEEDS = 10_000;

@Injectable()
export class PgSnapshots extends Snapshots {
  private readonly needs = new Map<string, Needs>();

  constructor(private readonly db: Db) {
    super();
  }

  async take(limit: number): Promise<Snapshot | null> {
    const rows = await this.db.query<TaskRow>(QUEUED, [limit, PASSED_MS]);
    if (rows.length === 0) return null;
    return { queued: rows.map((row) => this.queued(row)), workers: await this.workers() };
  }

  async workers(): Promise<OpenWorker[]> {
    const [rows, used] = await Promise.all([
      this.db.query<WorkerRow>(`SELECT ${WORKER_COLUMNS} FROM workers WHERE state = 'online'`),
      this.db.query<UsedRow>(USED),
    ]);
    const byWorker = new Map(used.map((row) => [row.worker_id, row]));
    return rows.map((row) => lessUsed(openWorker(row), byWorker.get(row.id)));
  }

  private queued(row: TaskRow): QueuedTask {
    return {
      id: row.id,
      fence: row.fence,
      priority: row.priority,
      needs: this.needsOf(row.needs),
      family: row.family,
      runtimeClass: row.runtime_class,
      maxGpuAsk: row.max_gpu_ask,
      maxCpuAsk: row.max_cpu_ask,
      excluded: [...(row.excluded ?? []), ...(row.siblings ?? []), ...(row.passed ?? [])],
      excludedOperators: row.sibling_operators ?? [],
      preferred: row.preferred_worker,
    };
  }

  private needsOf(text: string): Needs {
    let needs = this.needs.get(text);
    if (needs === undefined) {
      needs = JSON.parse(text) as Needs; // written at acceptance from this type
      if (this.needs.size >= MAX_KEPT_NEEDS) this.needs.clear();
      this.needs.set(text, needs);
    }
    return needs;
  }
}

function lessUsed(worker: OpenWorker, used: UsedRow | undefined): OpenWorker {
  if (used === undefined) return worker;
  const { total } = worker;
  return {
    ...worker,
    free: {
      gpuMilli: total.gpuMilli - used.gpu_milli,
      vramMib: total.vramMib - used.vram_mib,
      cpuMilli: total.cpuMilli - used.cpu_milli,
      memoryMib: total.memoryMib - used.memory_mib,
      diskMib: total.diskMib - used.disk_mib,
    },
    freeSlots: worker.freeSlots - used.attempts,
  };
}

/** Only tasks whose results are compared have siblings to stay away from; only those with a fence were ever offered. An audit without attempts left waits to be waived. */
const QUEUED = `
SELECT task.id, task.fence, task.priority, task.runtime_class, task.excluded, task.preferred_worker, job.needs, job.max_gpu_ask, job.max_cpu_ask,
  CASE WHEN job.verify <> '{"method":"none"}' THEN task.root_id END AS family,
  CASE WHEN job.verify <> '{"method":"none"}' THEN (
    SELECT array_agg(attempt.worker_id) FROM tasks AS sibling JOIN attempts AS attempt ON attempt.task_id = sibling.id
    WHERE (sibling.id = task.root_id OR (sibling.root_id = task.root_id AND sibling.role <> 'primary'))
      AND sibling.id <> task.id AND attempt.state IN ('leased', 'running', 'reported', 'accepted', 'rejected', 'disputed')
      AND attempt.reason IS DISTINCT FROM 'void'
  ) END AS siblings,
  CASE WHEN job.verify <> '{"method":"none"}' THEN (
    SELECT array_agg(DISTINCT worker.operator) FROM tasks AS sibling JOIN attempts AS attempt ON attempt.task_id = sibling.id
      JOIN workers AS worker ON worker.id = attempt.worker_id AND worker.operator IS NOT NULL
    WHERE (sibling.id = task.root_id OR (sibling.root_id = task.root_id AND sibling.role <> 'primary'))
      AND sibling.id <> task.id AND attempt.state IN ('leased', 'running', 'reported', 'accepted', 'rejected', 'disputed')
      AND attempt.reason IS DISTINCT FROM 'void'
  ) END AS sibling_operators,
  CASE WHEN task.fence > 0 THEN (
    SELECT array_agg(attempt.worker_id) FROM attempts AS attempt
    WHERE attempt.task_id = task.id AND attempt.state = 'cancelled' AND attempt.started_at IS NULL
      AND attempt.finished_at > clock_timestamp() - $2 * interval '1 millisecond'
  ) END AS passed
FROM tasks AS task JOIN jobs AS job ON job.id = task.job_id
WHERE task.waiting AND (task.role <> 'audit' OR task.attempts_used < job.max_attempts) ORDER BY task.priority DESC, task.id LIMIT $1`;

const USED = `
SELECT worker_id, count(*)::int AS attempts, sum(gpu_milli)::int AS gpu_milli, sum(vram_mib)::int AS vram_mib, sum(cpu_milli)::int AS cpu_milli,
  sum(memory_mib)::int AS memory_mib, sum(disk_mib)::int AS disk_mib
FROM attempts WHERE live GROUP BY worker_id`;
