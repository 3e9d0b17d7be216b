import { Injectable } from '@nestjs/common';
import type { Needs } from '@tidemill/core/job';
import { expectedStart, hasRoom, suitable, type Measured } from '@tidemill/core/scheduler';
import type { JobId, PlanView, TaskId } from '@tidemill/protocol';
import { JobStarts } from '../jobs/job-starts.js';
import { Market, probe } from '../jobs/market.js';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { Snapshots } from './snapshots.store.js';

/** Only the newest count: the network of last week was another one. */
const MAX_MEASURED = 200;
/** Tasks of the line that are looked at; behind more than these a job waits for at least so long. */
const MAX_AHEAD = 10_000;

/** What decides who could run a task, and its place in the line: behind the task `behind`, or last. */
export interface Wanted {
  readonly needs: Needs;
  readonly maxGpuAsk: bigint | null;
  readonly maxCpuAsk: bigint | null;
  readonly priority: number;
  readonly behind: TaskId | null;
}

interface WantedRow {
  readonly needs: string;
  readonly max_gpu_ask: bigint | null;
  readonly max_cpu_ask: bigint | null;
}

/** Says when work in the line, or that would come into it, is expected to start. */
@Injectable()
export class ExpectedStarts {
  constructor(
    private readonly market: Market,
    private readonly snapshots: Snapshots,
    private readonly db: Db,
    private readonly clock: Clock,
    starts: JobStarts,
  ) {
    starts.register((id) => this.ofJob(id));
  }

  async of(wanted: Wanted): Promise<PlanView['expectedStart']> {
    const { needs, maxGpuAsk, maxCpuAsk } = wanted;
    const { suitable: could } = await this.market.suitableFor(needs, maxGpuAsk, maxCpuAsk);
    const task = probe(needs, maxGpuAsk, maxCpuAsk);
    const ids = new Set(could.map(({ id }) => id));
    const now = (await this.snapshots.workers()).filter(({ id }) => ids.has(id));
    const groups = await this.db.query<WantedRow & { tasks: number }>(AHEAD, [
      wanted.priority,
      wanted.behind,
      MAX_AHEAD,
    ]);
    const ahead = groups
      .filter(({ needs, max_gpu_ask, max_cpu_ask }) => {
        const other = probe(JSON.parse(needs) as Needs, max_gpu_ask, max_cpu_ask); // written at acceptance
        return suitable(other, could).suitable.length > 0;
      })
      .reduce((sum, { tasks }) => sum + tasks, 0);
    const [starts] = await this.db.query<Measured>(STARTS, [MAX_MEASURED]);
    const [runs] = await this.db.query<Measured & { running: number }>(RUNS, [
      [...ids],
      MAX_MEASURED,
    ]);
    const start = expectedStart({
      suitable: could.length,
      free: now.filter((worker) => hasRoom(task, worker)).length,
      running: runs?.running ?? 0,
      ahead,
      starts: starts ?? NONE,
      runs: runs ?? NONE,
    });
    if (start.basis === null) return { estimate: null, reason: start.reason };
    const nowMs = this.clock.nowMs();
    const at = (ms: number): string => new Date(nowMs + Math.round(ms)).toISOString();
    return {
      estimate: { p50: at(start.p50Ms), p90: at(start.p90Ms), basis: start.basis },
      reason: null,
    };
  }

  /** Of a job that waits for its first worker; null when it does not, or not any more. */
  private async ofJob(id: JobId): Promise<PlanView['expectedStart'] | null> {
    const [row] = await this.db.query<WantedRow & { priority: number; behind: TaskId }>(FIRST, [
      id,
    ]);
    if (row === undefined) return null;
    return this.of({
      needs: JSON.parse(row.needs) as Needs, // written at acceptance
      maxGpuAsk: row.max_gpu_ask,
      maxCpuAsk: row.max_cpu_ask,
      priority: row.priority,
      behind: row.behind,
    });
  }
}

const NONE: Measured = { count: 0, p50: 0, p90: 0 };

const FIRST = `
SELECT job.needs, job.max_gpu_ask, job.max_cpu_ask, task.priority, task.id AS behind
FROM jobs AS job JOIN tasks AS task ON task.job_id = job.id AND task.waiting
WHERE job.id = $1 AND job.state = 'queued' ORDER BY task.priority DESC, task.id LIMIT 1`;

/** The line before a task, or all of its priority and above, by what could take it. */
const AHEAD = `
SELECT job.needs, job.max_gpu_ask, job.max_cpu_ask, count(*)::int AS tasks
FROM (
  SELECT job_id FROM tasks WHERE waiting AND priority >= $1 AND (priority > $1 OR $2::text IS NULL OR id < $2)
  ORDER BY priority DESC, id LIMIT $3
) AS task JOIN jobs AS job ON job.id = task.job_id
GROUP BY job.needs, job.max_gpu_ask, job.max_cpu_ask`;

const measured = (ms: string): string => `count(${ms})::int AS count,
  coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY ${ms}), 0) AS p50, coalesce(percentile_cont(0.9) WITHIN GROUP (ORDER BY ${ms}), 0) AS p90`;

/** From acceptance to start, of the first attempts at tasks that waited for no other task. */
const STARTS = `
SELECT ${measured('ms')} FROM (
  SELECT extract(epoch FROM attempt.started_at - job.created_at)::float8 * 1000 AS ms
  FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id JOIN jobs AS job ON job.id = attempt.job_id
  WHERE attempt.number = 1 AND attempt.started_at IS NOT NULL AND task.role = 'primary' AND task.depends_on IS NULL
  ORDER BY attempt.id DESC LIMIT $1
) AS start`;

const RUNS = `
SELECT ${measured('ms')}, (SELECT count(*) FROM attempts WHERE live AND worker_id = ANY ($1))::int AS running FROM (
  SELECT extract(epoch FROM attempt.finished_at - attempt.started_at)::float8 * 1000 AS ms
  FROM attempts AS attempt
  WHERE attempt.worker_id = ANY ($1) AND attempt.started_at IS NOT NULL AND attempt.state IN ('reported', 'accepted', 'disputed')
  ORDER BY attempt.id DESC LIMIT $2
) AS run`;
