import { attemptLimitMs } from '@tidemill/core/ledger';
import type { AttemptEnd } from '@tidemill/core/lease';
import type { AttemptId, AttemptState, TaskId, WorkerId } from '@tidemill/protocol';
import type { Tx } from '../../platform/db/db.js';
import {
  LeasesStore,
  type EndedAttempt,
  type Held,
  type Leased,
  type NewLease,
  type Stopped,
} from '../../scheduling/leases.store.js';
import type { MemoryTx } from './memory-database.js';
import { NONE, rowsOf, within } from './memory-db.js';
import type { AttemptRow, JobRow, TaskRow } from './rows.js';

/** What an attempt is called when it ended so. */
const END_STATES: Record<AttemptEnd, AttemptState> = {
  lost: 'lost',
  worker_fault: 'failed',
  rejected: 'rejected',
  refused: 'cancelled',
  offer_timeout: 'cancelled',
  preempted: 'preempted',
};

const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  a.id < b.id ? -1 : 1;

export class MemoryLeasesStore extends LeasesStore {
  lease(on: Tx, leases: readonly NewLease[]): Promise<readonly Leased[]> {
    return within(on, (tx) => {
      const { tasks, attempts, workers, jobs, pace } = tx.database;
      const locks = () => rowsOf('tasks', leases.map(({ taskId }) => taskId)); // prettier-ignore
      return tx.statement('leases.lease', locks, () =>
        leases.flatMap((plan): Leased[] => {
          const task = tx.get(tasks, plan.taskId);
          const worker = tx.get(workers, plan.workerId);
          if (task === undefined || worker === undefined || !this.stillStands(plan, task))
            return [];
          if (worker.revision !== plan.revision || worker.state !== 'online') return [];
          const fence = task.fence + 1;
          const attemptsUsed = task.attemptsUsed + 1;
          tx.put(tasks, task.id, { ...task, state: 'leased', waiting: false, fence, attemptsUsed });
          const attempt: AttemptRow = {
            id: plan.attemptId,
            taskId: task.id,
            jobId: task.jobId,
            workerId: worker.id,
            number: attemptsUsed,
            fence,
            state: 'leased',
            live: true,
            reason: null,
            resources: plan.resources,
            gpuAsk: BigInt(worker.profile.asks.gpuHour),
            cpuAsk: BigInt(worker.profile.asks.cpuHour),
            billableMs: null,
            leasedAtMs: pace.nowMs(),
            startedAtMs: null,
            finishedAtMs: null,
          };
          tx.insert(attempts, attempt.id, attempt);
          if (plan.runtimeClass !== null) bindClass(tx, task.rootId, plan.runtimeClass);
          return [leasedOf(attempt, task, limitOf(attempt, task, tx.get(jobs, task.jobId)))];
        }),
      );
    });
  }

  /** What plans were decided on is for those who replay them; nobody does here. */
  keepInputs = (): Promise<void> => Promise.resolve();
  forgetInputs = (): Promise<void> => Promise.resolve();

  activate(on: Tx, held: readonly Held[]): Promise<ReadonlySet<AttemptId>> {
    return within(on, (tx) => {
      const { attempts, tasks, jobs, pace } = tx.database;
      const open = () =>
        held.flatMap((one) => {
          const attempt = tx.get(attempts, one.attemptId);
          const isOpen =
            attempt?.live === true && attempt.fence === one.fence && attempt.workerId === one.workerId;
          return isOpen ? [{ attempt, agoMs: one.agoMs }] : [];
        }); // prettier-ignore
      function* locks() {
        yield* rowsOf('attempts', held.map(({ attemptId }) => attemptId)); // prettier-ignore
        const fresh = open().filter(({ attempt }) => attempt.state === 'leased');
        yield* rowsOf('tasks', fresh.map(({ attempt }) => attempt.taskId)); // prettier-ignore
        yield* rowsOf('jobs', fresh.map(({ attempt }) => attempt.jobId)); // prettier-ignore
      }
      return tx.statement('leases.activate', locks, () => {
        const found = open();
        for (const { attempt, agoMs } of found) {
          if (attempt.state !== 'leased') continue;
          const takenMs = agoMs === null ? attempt.leasedAtMs : pace.nowMs() - agoMs;
          const startedAtMs = Math.max(attempt.leasedAtMs, takenMs);
          tx.put(attempts, attempt.id, { ...attempt, state: 'running', startedAtMs });
          const task = tx.get(tasks, attempt.taskId);
          if (task?.state === 'leased') tx.put(tasks, task.id, { ...task, state: 'running' });
          const job = tx.get(jobs, attempt.jobId);
          if (job?.state === 'queued') tx.put(jobs, job.id, { ...job, state: 'running' });
        }
        return new Set(found.map(({ attempt }) => attempt.id));
      });
    });
  }

  reconcile(on: Tx, workerId: WorkerId, holding: readonly AttemptId[]) {
    return within(on, (tx) =>
      tx.statement('leases.reconcile', NONE, () => {
        const live = tx.all(tx.database.attempts).filter((one) => one.live && one.workerId === workerId);
        const ids = new Set(live.map(({ id }) => id));
        const held = new Set(holding);
        const forgotten = live.filter(({ id, state }) => state === 'running' && !held.has(id));
        return { kept: holding.filter((id) => ids.has(id)), forgotten: forgotten.map(({ id }) => id) };
      }),
    ); // prettier-ignore
  }

  endAttempts(
    on: Tx,
    ends: readonly { attemptId: AttemptId; end: AttemptEnd; detail: string | null }[],
    workerId: WorkerId | null,
  ): Promise<readonly EndedAttempt[]> {
    return within(on, (tx) => {
      const { attempts, tasks, jobs, workers, pace } = tx.database;
      const wanted = new Map(ends.map((end) => [end.attemptId, end]));
      const open = () =>
        [...wanted.keys()].sort().flatMap((id) => {
          const attempt = tx.get(attempts, id);
          const isOpen = attempt?.live === true && (workerId === null || attempt.workerId === workerId);
          return isOpen ? [attempt] : [];
        }); // prettier-ignore
      const counted = () => open().filter(({ id }) => ['lost', 'worker_fault'].includes(wanted.get(id)?.end ?? '')); // prettier-ignore
      function* locks() {
        yield* rowsOf('attempts', wanted.keys());
        yield* rowsOf('workers', counted().map((attempt) => attempt.workerId)); // prettier-ignore
      }
      return tx.statement('leases.end', locks, () =>
        open().flatMap((attempt): EndedAttempt[] => {
          const end = wanted.get(attempt.id);
          if (end === undefined) return [];
          const state = END_STATES[end.end];
          const reason = end.detail ?? end.end;
          tx.put(attempts, attempt.id, { ...attempt, state, live: false, reason, finishedAtMs: pace.nowMs() });
          const worker = tx.get(workers, attempt.workerId);
          if (worker !== undefined && state === 'lost')
            tx.put(workers, worker.id, { ...worker, lost: worker.lost + 1 });
          if (worker !== undefined && state === 'failed')
            tx.put(workers, worker.id, { ...worker, failed: worker.failed + 1 });
          const task = tx.get(tasks, attempt.taskId);
          const job = tx.get(jobs, attempt.jobId);
          if (task === undefined || job === undefined || !hasLast(attempt, task)) return [];
          return [
            {
              attemptId: attempt.id,
              taskId: task.id,
              jobId: job.id,
              workerId: attempt.workerId,
              attemptsUsed: task.attemptsUsed,
              maxAttempts: ['queued', 'running'].includes(job.state) && task.role !== 'audit' ? job.maxAttempts : 32_767, // prettier-ignore
              end: end.end,
              detail: end.detail,
            },
          ];
        }),
      ); // prettier-ignore
    });
  }

  requeue(
    on: Tx,
    back: readonly { taskId: TaskId; free: boolean; exclude: WorkerId | null }[],
  ): Promise<void> {
    if (back.length === 0) return Promise.resolve();
    return within(on, (tx) => {
      const { tasks } = tx.database;
      const locks = () => rowsOf('tasks', back.map(({ taskId }) => taskId)); // prettier-ignore
      return tx.statement('leases.requeue', locks, () => {
        for (const { taskId, free, exclude } of back) {
          const task = tx.get(tasks, taskId);
          if (task === undefined || !['leased', 'running', 'verifying'].includes(task.state))
            continue;
          tx.put(tasks, taskId, {
            ...task,
            state: 'queued',
            waiting: true,
            attemptsUsed: task.attemptsUsed - (free ? 1 : 0),
            excluded: exclude === null ? task.excluded : [...task.excluded, exclude],
          });
        }
      });
    });
  }

  fail(on: Tx, taskIds: readonly TaskId[]): Promise<void> {
    if (taskIds.length === 0) return Promise.resolve();
    return within(on, (tx) => {
      const { tasks } = tx.database;
      return tx.statement('leases.fail', () => rowsOf('tasks', taskIds), () => {
        for (const id of taskIds) {
          const task = tx.get(tasks, id);
          if (task !== undefined && ['queued', 'leased', 'running', 'verifying'].includes(task.state))
            tx.put(tasks, id, { ...task, state: 'failed', waiting: false });
        }
      });
    }); // prettier-ignore
  }

  ofLostWorkers(on: Tx, limit: number) {
    return this.live(on, 'leases.ofLostWorkers', limit, (attempt, tx) =>
      tx.get(tx.database.workers, attempt.workerId)?.state === 'lost',
    ).then((found) => found.map(({ id, state }) => ({ id, taken: state === 'running' }))); // prettier-ignore
  }

  staleOffers(on: Tx, olderThanMs: number, limit: number): Promise<readonly AttemptId[]> {
    return this.live(on, 'leases.staleOffers', limit, ({ state, leasedAtMs }, tx) =>
      state === 'leased' && leasedAtMs < tx.database.pace.nowMs() - olderThanMs,
    ).then((found) => found.map(({ id }) => id)); // prettier-ignore
  }

  overrun(on: Tx, graceMs: number, limit: number): Promise<readonly AttemptId[]> {
    return this.live(on, 'leases.overrun', limit, (attempt, tx) => {
      const { startedAtMs, taskId, jobId } = attempt;
      const task = tx.get(tx.database.tasks, taskId);
      const maxMs = limitOf(attempt, task, tx.get(tx.database.jobs, jobId));
      return startedAtMs !== null && startedAtMs < tx.database.pace.nowMs() - maxMs - graceMs;
    }).then((found) => found.map(({ id }) => id));
  }

  /** Nobody listens here. */
  warnOfHolds = (): Promise<number> => Promise.resolve(0);

  cancelOrphans(on: Tx, limit: number) {
    return within(on, (tx) => {
      const { attempts, tasks, pace } = tx.database;
      const orphans = () =>
        tx
          .all(attempts)
          .filter(({ live, taskId }) => live && ['cancelled', 'failed'].includes(tx.get(tasks, taskId)?.state ?? ''))
          .sort(byId)
          .slice(0, limit); // prettier-ignore
      const locks = () => rowsOf('attempts', orphans().map(({ id }) => id)); // prettier-ignore
      return tx.statement('leases.cancelOrphans', locks, () =>
        orphans().map((attempt) => {
          tx.put(attempts, attempt.id, { ...attempt, state: 'cancelled', live: false, reason: 'job ended', finishedAtMs: pace.nowMs() });
          return { workerId: attempt.workerId, attemptId: attempt.id };
        }),
      ); // prettier-ignore
    });
  }

  stopped(on: Tx, attemptIds: readonly AttemptId[]): Promise<readonly Stopped[]> {
    return within(on, (tx) =>
      tx.statement('leases.stopped', NONE, () =>
        [...attemptIds].sort().flatMap((id): Stopped[] => {
          const attempt = tx.get(tx.database.attempts, id);
          if (attempt === undefined || !['cancelled', 'lost', 'stale'].includes(attempt.state)) return [];
          const reason = attempt.reason === 'job ended' ? 'cancelled' : 'lost';
          return [{ workerId: attempt.workerId, attemptId: id, reason }];
        }),
      ),
    );
  } // prettier-ignore

  openOffers(on: Tx, workerIds: readonly WorkerId[]): Promise<readonly Leased[]> {
    return within(on, (tx) => {
      const { attempts, tasks, jobs } = tx.database;
      return tx.statement('leases.openOffers', NONE, () =>
        tx.all(attempts).flatMap((attempt): Leased[] => {
          const isOpen = attempt.live && attempt.state === 'leased' && workerIds.includes(attempt.workerId);
          const task = isOpen ? tx.get(tasks, attempt.taskId) : undefined;
          const job = isOpen ? tx.get(jobs, attempt.jobId) : undefined;
          return task === undefined || job === undefined ? [] : [leasedOf(attempt, task, limitOf(attempt, task, job))];
        }),
      ); // prettier-ignore
    });
  }

  /** Whether a plan's task is as it was when the plan was made. */
  protected stillStands(plan: NewLease, task: TaskRow): boolean {
    return task.fence === plan.fence && task.waiting;
  }

  private live(
    on: Tx,
    label: string,
    limit: number,
    isWanted: (attempt: AttemptRow, tx: MemoryTx) => boolean,
  ): Promise<AttemptRow[]> {
    return within(on, (tx) =>
      tx.statement(label, NONE, () =>
        tx
          .all(tx.database.attempts)
          .filter((attempt) => attempt.live && isWanted(attempt, tx))
          .sort(byId)
          .slice(0, limit),
      ),
    );
  }
}

/** Executions that are compared stay in the runtime class of the first. */
function bindClass(tx: MemoryTx, rootId: TaskId, runtimeClass: string): void {
  const { tasks } = tx.database;
  for (const task of tx.all(tasks)) {
    const isFamily = task.id === rootId || (task.rootId === rootId && task.role !== 'primary');
    if (isFamily && task.runtimeClass === null) tx.put(tasks, task.id, { ...task, runtimeClass });
  }
}

/** How long an attempt may run. */
export function limitOf(
  { resources, gpuAsk, cpuAsk }: AttemptRow,
  task: TaskRow | undefined,
  job: JobRow | undefined,
): number {
  if (task === undefined || job === undefined) return 0;
  const asks = { gpuHour: gpuAsk, cpuHour: cpuAsk };
  return attemptLimitMs(job.maxDurationMs, task.role, job.taskCap, resources, asks);
}

function leasedOf(attempt: AttemptRow, task: TaskRow, maxDurationMs: number): Leased {
  return {
    workerId: attempt.workerId,
    offer: {
      jobId: attempt.jobId,
      taskId: attempt.taskId,
      attemptId: attempt.id,
      fence: attempt.fence,
      payload: task.payload,
      inputs: JSON.parse(task.inputs) as Leased['offer']['inputs'], // written at acceptance
      needs: attempt.resources,
      maxDurationMs,
    },
  };
}

/** Whether an attempt that ended was the last of its task, which is then still worked on. */
const hasLast = (attempt: AttemptRow, task: TaskRow): boolean =>
  task.fence === attempt.fence && ['leased', 'running'].includes(task.state);
