import { copiesOf } from '@tidemill/core/job';
import type { OpenWorker } from '@tidemill/core/scheduler';
import type { AccountId, JobId } from '@tidemill/protocol';
import { hash } from 'node:crypto';
import {
  JobsStore,
  type KeyClaim,
  type JobEnd,
  type KeyedRequest,
  type NewJob,
} from '../../jobs/jobs.store.js';
import type { Tx } from '../../platform/db/db.js';
import type { MemoryTx } from './memory-database.js';
import { NONE, rowsOf, within } from './memory-db.js';
import type { TaskRow, WorkerRow } from './rows.js';

const OPEN = ['queued', 'running'];

export const digestOf = (payload: string): string => `sha256:${hash('sha256', payload)}`;

/** A worker with all it lends. */
export function openWorkerOf({ id, revision, profile }: WorkerRow): OpenWorker {
  return {
    id,
    revision,
    operator: profile.operator?.publicKey ?? null,
    capabilities: profile.capabilities,
    total: profile.resources,
    free: profile.resources,
    freeSlots: profile.slots,
    gpuAsk: BigInt(profile.asks.gpuHour),
    cpuAsk: BigInt(profile.asks.cpuHour),
  };
}

export class MemoryJobsStore extends JobsStore {
  insert(on: Tx, jobs: readonly NewJob[]): Promise<void> {
    return within(on, (tx) =>
      tx.statement('jobs.insert', NONE, () => {
        for (const job of jobs) insertJob(tx, job);
      }),
    );
  }

  claimKeys(on: Tx, claims: readonly KeyClaim[]): Promise<ReadonlySet<KeyClaim>> {
    const firsts = new Map(
      [...claims].reverse().map((claim) => [this.nameOf(claim.accountId, claim.key), claim]),
    );
    return within(on, (tx) =>
      tx.statement(
        'jobs.claimKeys',
        () => rowsOf('keys', firsts.keys()),
        () => {
          const { keys, pace } = tx.database;
          const granted = new Set<KeyClaim>();
          for (const [name, claim] of firsts) {
            if (tx.get(keys, name) !== undefined) continue;
            tx.insert(keys, name, { ...claim, createdAtMs: pace.nowMs() });
            granted.add(claim);
          }
          return granted;
        },
      ),
    );
  }

  keyedRequest(on: Tx, accountId: AccountId, key: string): Promise<KeyedRequest | null> {
    return within(on, (tx) =>
      tx.statement(
        'jobs.keyedRequest',
        NONE,
        () => tx.get(tx.database.keys, this.nameOf(accountId, key)) ?? null,
      ),
    );
  }

  end(on: Tx, ends: readonly JobEnd[]): Promise<readonly JobId[]> {
    return within(on, (tx) => {
      const { jobEnds, jobs, tasks } = tx.database;
      function* locks() {
        yield* rowsOf('job_ends', ends.map(({ jobId }) => jobId)); // prettier-ignore
        const fresh = ends.filter(({ jobId }) => tx.get(jobEnds, jobId) === undefined);
        yield* rowsOf('jobs', fresh.map(({ jobId }) => jobId)); // prettier-ignore
        for (const { jobId, state } of fresh)
          if (state !== 'succeeded') yield* rowsOf('tasks', undone(tx, jobId).map(({ id }) => id)); // prettier-ignore
      }
      return tx.statement('jobs.end', locks, () => {
        const ended: JobId[] = [];
        for (const { jobId, state, code } of ends) {
          if (tx.get(jobEnds, jobId) !== undefined) continue;
          tx.insert(jobEnds, jobId, { jobId, state, xid: tx.number() });
          const job = tx.get(jobs, jobId);
          if (job !== undefined) tx.put(jobs, jobId, { ...job, state, reasonCode: code });
          if (state !== 'succeeded')
            for (const task of undone(tx, jobId))
              tx.put(tasks, task.id, { ...task, state: 'cancelled', waiting: false });
          ended.push(jobId);
        }
        return ended;
      });
    });
  }

  overdue(on: Tx, limit: number): Promise<readonly JobId[]> {
    return within(on, (tx) =>
      tx.statement('jobs.overdue', NONE, () => {
        const nowMs = tx.database.pace.nowMs();
        return tx
          .all(tx.database.jobs)
          .filter(({ deadlineMs, state }) => deadlineMs !== null && deadlineMs < nowMs && OPEN.includes(state))
          .map(({ id }) => id)
          .sort()
          .slice(0, limit);
      }),
    ); // prettier-ignore
  }

  openJobReading(on: Tx, accountId: AccountId, digest: string): Promise<JobId | null> {
    return within(on, (tx) =>
      tx.statement('jobs.openJobReading', NONE, () => {
        const reading = tx.all(tx.database.tasks).filter(({ inputs }) => inputs.includes(digest));
        const job = tx
          .all(tx.database.jobs)
          .find(
            ({ id, accountId: owner, state }) =>
              owner === accountId &&
              OPEN.includes(state) &&
              reading.some(({ jobId }) => jobId === id),
          );
        return job?.id ?? null;
      }),
    );
  }

  forgetKeys(on: Tx, olderThanMs: number): Promise<void> {
    return within(on, (tx) =>
      tx.statement('jobs.forgetKeys', NONE, () => {
        const beforeMs = tx.database.pace.nowMs() - olderThanMs;
        for (const [name, { createdAtMs }] of tx.database.keys.rows)
          if (createdAtMs < beforeMs) tx.remove(tx.database.keys, name);
      }),
    );
  }

  workersOnline(on: Tx): Promise<readonly OpenWorker[]> {
    return within(on, (tx) =>
      tx.statement('jobs.workersOnline', NONE, () =>
        tx
          .all(tx.database.workers)
          .filter(({ state }) => state === 'online')
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .map(openWorkerOf),
      ),
    );
  }

  waiting(on: Tx): Promise<ReadonlyMap<string, number>> {
    return within(on, (tx) =>
      tx.statement('jobs.waiting', NONE, () => {
        const counts = new Map<string, number>();
        for (const { jobId, waiting } of tx.all(tx.database.tasks)) {
          const owner = waiting ? tx.get(tx.database.jobs, jobId)?.accountId : undefined;
          if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
        }
        return counts;
      }),
    );
  }

  protected nameOf(accountId: AccountId, key: string): string {
    return `${accountId} ${key}`;
  }
}

/** Tasks that end with their job: those that have not reported. */
const undone = (tx: MemoryTx, jobId: JobId): TaskRow[] =>
  tx.all(tx.database.tasks).filter((task) =>
    task.jobId === jobId && ['queued', 'leased', 'running'].includes(task.state)); // prettier-ignore

function insertJob(tx: MemoryTx, { id, accountId, draft, taskIds }: NewJob): void {
  const { jobs, tasks } = tx.database;
  tx.insert(jobs, id, {
    id,
    accountId,
    name: draft.spec.name ?? null,
    state: 'queued',
    reasonCode: null,
    needs: draft.needs,
    verify: draft.verify,
    priority: draft.priority,
    maxAttempts: draft.maxAttempts,
    maxDurationMs: draft.maxDurationMs,
    maxGpuAsk: draft.maxGpuAsk,
    maxCpuAsk: draft.maxCpuAsk,
    hold: draft.hold,
    taskCap: draft.taskCap,
    tasksTotal: draft.tasks.length,
    tasksLeft: draft.tasks.length,
    deadlineMs: draft.deadline?.getTime() ?? null,
  });
  for (let copy = 0; copy < copiesOf(draft.verify); copy += 1) {
    draft.tasks.forEach((task, index) => {
      const taskId = taskIds[copy * draft.tasks.length + index];
      const rootId = taskIds[index];
      const dependsOn = task.dependsOn === null ? null : taskIds[task.dependsOn];
      if (taskId === undefined || rootId === undefined || dependsOn === undefined)
        throw new Error('a job has an id for every task');
      tx.insert(tasks, taskId, {
        id: taskId,
        jobId: id,
        index,
        role: copy === 0 ? 'primary' : 'replica',
        rootId,
        state: 'queued',
        waiting: dependsOn === null,
        priority: draft.priority,
        fence: 0,
        attemptsUsed: 0,
        dependsOn,
        audited: task.audited,
        runtimeClass: null,
        payload: task.payload,
        payloadDigest: digestOf(task.payload),
        inputs: JSON.stringify(task.inputs),
        excluded: [],
        preferred: null,
      });
    });
  }
}
