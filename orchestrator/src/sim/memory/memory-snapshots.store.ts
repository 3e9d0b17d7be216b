import type { OpenWorker, QueuedTask, Snapshot } from '@tidemill/core/scheduler';
import type { Resources, WorkerId } from '@tidemill/protocol';
import type { Db } from '../../platform/db/db.js';
import { PASSED_MS, Snapshots } from '../../scheduling/snapshots.store.js';
import type { MemoryTx } from './memory-database.js';
import { NONE, within } from './memory-db.js';
import { openWorkerOf } from './memory-jobs.store.js';
import type { TaskRow } from './rows.js';

const AT_WORK = ['leased', 'running', 'reported', 'accepted', 'rejected', 'disputed'];

export class MemorySnapshots extends Snapshots {
  constructor(private readonly db: Db) {
    super();
  }

  async take(limit: number): Promise<Snapshot | null> {
    const queued = await within(this.db, (tx) =>
      tx.statement('snapshots.queued', NONE, () =>
        tx
          .all(tx.database.tasks)
          .filter(({ waiting, role, attemptsUsed, jobId }) => {
            const most = tx.get(tx.database.jobs, jobId)?.maxAttempts ?? 0;
            return waiting && (role !== 'audit' || attemptsUsed < most);
          })
          .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
          .slice(0, limit)
          .flatMap((task) => queuedTask(tx, task)),
      ),
    );
    return queued.length === 0 ? null : { queued, workers: await this.workers() };
  }

  workers(): Promise<OpenWorker[]> {
    return within(this.db, (tx) =>
      tx.statement('snapshots.workers', NONE, () => {
        const live = tx.all(tx.database.attempts).filter((attempt) => attempt.live);
        return tx
          .all(tx.database.workers)
          .filter(({ state }) => state === 'online')
          .map((row) => {
            const used = live.filter(({ workerId }) => workerId === row.id);
            const worker = openWorkerOf(row);
            const free = used.reduce((rest, { resources }) => less(rest, resources), worker.free);
            return { ...worker, free, freeSlots: worker.freeSlots - used.length };
          });
      }),
    );
  }
}

const less = (a: Resources, b: Resources): Resources => ({
  gpuMilli: a.gpuMilli - b.gpuMilli,
  vramMib: a.vramMib - b.vramMib,
  cpuMilli: a.cpuMilli - b.cpuMilli,
  memoryMib: a.memoryMib - b.memoryMib,
  diskMib: a.diskMib - b.diskMib,
});

function queuedTask(tx: MemoryTx, task: TaskRow): QueuedTask[] {
  const { jobs } = tx.database;
  const job = tx.get(jobs, task.jobId);
  if (job === undefined) return [];
  const isCompared = job.verify.method !== 'none';
  const away = [
    ...(isCompared ? siblings(tx, task) : []),
    ...(task.fence > 0 ? passed(tx, task) : []),
  ];
  return [
    {
      id: task.id,
      fence: task.fence,
      priority: task.priority,
      needs: job.needs,
      family: isCompared ? task.rootId : null,
      runtimeClass: task.runtimeClass,
      maxGpuAsk: job.maxGpuAsk,
      maxCpuAsk: job.maxCpuAsk,
      excluded: [...task.excluded, ...away],
      excludedOperators: [],
      preferred: task.preferred,
    },
  ]; // prettier-ignore
}

/** Who runs or ran another execution of the same task. */
function siblings(tx: MemoryTx, task: TaskRow): WorkerId[] {
  const { tasks, attempts } = tx.database;
  const family = new Set(
    tx
      .all(tasks)
      .filter(({ id, rootId, role }) => id === task.rootId || (rootId === task.rootId && role !== 'primary'))
      .map(({ id }) => id),
  ); // prettier-ignore
  family.delete(task.id);
  return tx
    .all(attempts)
    .filter(({ taskId, state, reason }) => family.has(taskId) && AT_WORK.includes(state) && reason !== 'void')
    .map(({ workerId }) => workerId); // prettier-ignore
}

/** Who did not take it a moment ago. */
function passed(tx: MemoryTx, task: TaskRow): WorkerId[] {
  const sinceMs = tx.database.pace.nowMs() - PASSED_MS;
  return tx
    .all(tx.database.attempts)
    .filter(
      ({ taskId, state, startedAtMs, finishedAtMs }) =>
        taskId === task.id &&
        state === 'cancelled' &&
        startedAtMs === null &&
        finishedAtMs !== null &&
        finishedAtMs > sinceMs,
    )
    .map(({ workerId }) => workerId);
}
