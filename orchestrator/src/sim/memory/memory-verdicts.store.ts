import { TFJS_OUTPUTS, type AttemptId, type JobId, type TaskId } from '@tidemill/protocol';
import type { Tx } from '../../platform/db/db.js';
import type { Window } from '../../platform/db/stage-cursors.js';
import {
  VerdictsStore,
  type Member,
  type Output,
  type Reported,
  type Verdict,
  type Voided,
  type WaitingCheck,
} from '../../verification/verdicts.store.js';
import type { MemoryTx } from './memory-database.js';
import { limitOf } from './memory-leases.store.js';
import { NONE, rowsOf, within } from './memory-db.js';
import type { TaskRow } from './rows.js';

/** Results wait for their checks, so these come before the work of every job. */
const CHECK_PRIORITY = 3;
const OPEN = ['queued', 'running'];

/** The part of a window's rows that one turn takes: it is cut before the last transaction seen, which may go on beyond the limit. */
export function cut<T extends { readonly xid: number }>(
  rows: readonly T[],
  { from, to }: Window,
  limit: number,
): { rows: readonly T[]; to: string; more: boolean } {
  const inside = rows
    .filter(({ xid }) => xid >= Number(from) && xid < Number(to))
    .sort((a, b) => a.xid - b.xid)
    .slice(0, limit + 1);
  if (inside.length <= limit) return { rows: inside, to, more: false };
  const last = inside.at(-1)?.xid ?? Number(to);
  return { rows: inside.filter(({ xid }) => xid !== last), to: String(last), more: true };
}

export class MemoryVerdictsStore extends VerdictsStore {
  reported(on: Tx, window: Window, limit: number) {
    return within(on, (tx) =>
      tx.statement('verdicts.reported', NONE, () => {
        const { receipts, tasks, jobs, attempts } = tx.database;
        const { rows, to, more } = cut(tx.all(receipts), window, limit);
        const reported = rows.flatMap((receipt): Reported[] => {
          const { attemptId, taskId, jobId, workerId, hash, result, checked } = receipt;
          const about = { attemptId, taskId, jobId, workerId, hash, result };
          if (!checked)
            return [
              { ...about, rootId: taskId, role: 'primary', audited: false, verify: { method: 'none' } },
            ];
          const task = tx.get(tasks, taskId);
          const job = tx.get(jobs, jobId);
          if (task === undefined || job === undefined) return [];
          if (tx.get(attempts, attemptId)?.state !== 'reported') return [];
          const { rootId, role, audited } = task;
          return [{ ...about, rootId, role, audited, verify: job.verify }];
        });
        return { rows: reported, to, more };
      }),
    ); // prettier-ignore
  }

  cutByHold(on: Tx, attemptIds: readonly AttemptId[]): Promise<ReadonlySet<AttemptId>> {
    if (attemptIds.length === 0) return Promise.resolve(new Set());
    return within(on, (tx) =>
      tx.statement('verdicts.cutByHold', NONE, () => {
        const { attempts, tasks, jobs } = tx.database;
        const cut = attemptIds.filter((id) => {
          const attempt = tx.get(attempts, id);
          const job = attempt === undefined ? undefined : tx.get(jobs, attempt.jobId);
          if (attempt === undefined || job === undefined) return false;
          const limitMs = limitOf(attempt, tx.get(tasks, attempt.taskId), job);
          return limitMs < job.maxDurationMs && (attempt.billableMs ?? 0) * 20 >= limitMs * 19;
        });
        return new Set(cut);
      }),
    );
  }

  families(on: Tx, rootIds: readonly TaskId[]): Promise<readonly Member[]> {
    return within(on, (tx) =>
      tx.statement('verdicts.families', NONE, () => {
        const { tasks, jobs, attempts, receipts } = tx.database;
        const all = tx.all(attempts);
        return tx
          .all(tasks)
          .filter(
            ({ id, rootId, role, state }) =>
              (rootIds.includes(id) || (rootIds.includes(rootId) && role !== 'primary')) &&
              !['cancelled', 'failed', 'succeeded'].includes(state),
          )
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .map((task): Member => {
            const attempt = all.find(
              ({ taskId, fence, state }) =>
                taskId === task.id && fence === task.fence && ['reported', 'disputed'].includes(state),
            );
            const receipt = attempt === undefined ? undefined : tx.get(receipts, attempt.id);
            return {
              taskId: task.id,
              rootId: task.rootId,
              jobId: task.jobId,
              role: task.role,
              attemptId: receipt?.attemptId ?? null,
              workerId: receipt?.workerId ?? null,
              result: receipt?.result ?? null,
              isJobOver: !OPEN.includes(tx.get(jobs, task.jobId)?.state ?? ''),
            };
          });
      }),
    ); // prettier-ignore
  }

  leftByEndedJobs(on: Tx, window: Window): Promise<readonly TaskId[]> {
    return within(on, (tx) => {
      const { jobEnds, tasks } = tx.database;
      const ended = () =>
        new Set(
          cut(tx.all(jobEnds), window, Infinity)
            .rows.filter(({ state }) => state !== 'succeeded')
            .map(({ jobId }) => jobId),
        );
      const dropped = () => {
        const jobs = ended();
        return tx.all(tasks).filter((task) =>
          jobs.has(task.jobId) && task.role !== 'primary' && ['queued', 'leased', 'running'].includes(task.state)); // prettier-ignore
      };
      const locks = () => rowsOf('tasks', dropped().map(({ id }) => id)); // prettier-ignore
      return tx.statement('verdicts.leftByEndedJobs', locks, () => {
        const jobs = ended();
        for (const task of dropped())
          tx.put(tasks, task.id, { ...task, state: 'cancelled', waiting: false });
        const left = tx
          .all(tasks)
          .filter((task) => jobs.has(task.jobId) && task.state === 'verifying');
        return [...new Set(left.map(({ rootId }) => rootId))];
      });
    });
  }

  addCopies(on: Tx, copies: Parameters<VerdictsStore['addCopies']>[1]): Promise<void> {
    return within(on, (tx) =>
      tx.statement('verdicts.addCopies', NONE, () => {
        const { tasks } = tx.database;
        for (const { taskId, rootId, role } of copies) {
          const root = tx.get(tasks, rootId);
          if (root === undefined) continue;
          tx.insert(tasks, taskId, {
            ...root,
            id: taskId,
            role,
            rootId,
            state: 'queued',
            waiting: true,
            priority: CHECK_PRIORITY,
            fence: 0,
            attemptsUsed: 0,
            dependsOn: null,
            audited: false,
            excluded: [],
            preferred: null,
          });
        }
      }),
    );
  }

  waitingChecks(on: Tx, limit: number): Promise<readonly WaitingCheck[]> {
    return within(on, (tx) =>
      tx.statement('verdicts.waitingChecks', NONE, () => {
        const { tasks, jobs } = tx.database;
        return tx
          .all(tasks)
          .filter(({ waiting, priority, role, jobId }) =>
            waiting && priority === CHECK_PRIORITY && (role === 'audit' || !OPEN.includes(tx.get(jobs, jobId)?.state ?? '')))
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit)
          .map(({ id, rootId, attemptsUsed }) => ({ taskId: id, rootId, wasTaken: attemptsUsed > 0 }));
      }),
    );
  } // prettier-ignore

  dropWaiting(on: Tx, taskIds: readonly TaskId[]): Promise<readonly TaskId[]> {
    return within(on, (tx) => {
      const { tasks } = tx.database;
      return tx.statement('verdicts.dropWaiting', () => rowsOf('tasks', taskIds), () =>
        taskIds.filter((id) => {
          const task = tx.get(tasks, id);
          if (task?.waiting !== true) return false;
          tx.put(tasks, id, { ...task, state: 'cancelled', waiting: false });
          return true;
        }),
      );
    }); // prettier-ignore
  }

  markDisputed(on: Tx, attemptIds: readonly AttemptId[]): Promise<void> {
    return within(on, (tx) => {
      const { attempts } = tx.database;
      return tx.statement('verdicts.markDisputed', () => rowsOf('attempts', attemptIds), () => {
        for (const id of attemptIds) {
          const attempt = tx.get(attempts, id);
          if (attempt?.state === 'reported') tx.put(attempts, id, { ...attempt, state: 'disputed' });
        }
      });
    }); // prettier-ignore
  }

  give(on: Tx, given: readonly Verdict[]): Promise<readonly JobId[]> {
    return within(on, (tx) => {
      const { attempts, workers } = tx.database;
      // An attempt that is named twice is judged once.
      const first = new Map([...given].reverse().map((verdict) => [verdict.attemptId, verdict]));
      const inOrder = [...first.values()].sort((a, b) => (a.attemptId < b.attemptId ? -1 : 1));
      const open = () =>
        inOrder.flatMap((verdict) => {
          const attempt = tx.get(attempts, verdict.attemptId);
          return attempt !== undefined && ['reported', 'disputed'].includes(attempt.state)
            ? [{ verdict, attempt }]
            : [];
        });
      function* locks() {
        yield* rowsOf('attempts', inOrder.map(({ attemptId }) => attemptId)); // prettier-ignore
        const judged = open();
        yield* rowsOf('tasks', judged.flatMap(({ verdict: { taskId, settles } }) => [taskId, settles ?? taskId])); // prettier-ignore
        yield* rowsOf('workers', judged.map(({ attempt }) => attempt.workerId)); // prettier-ignore
        yield* rowsOf('jobs', judged.map(({ verdict }) => verdict.jobId)); // prettier-ignore
        yield* rowsOf('job_ends', judged.map(({ verdict }) => verdict.jobId)); // prettier-ignore
      }
      return tx.statement('verdicts.give', locks, () => {
        const judged = open();
        for (const { verdict, attempt } of judged) {
          const { attemptId, jobId, verdict: said, payer } = verdict;
          tx.put(attempts, attempt.id, { ...attempt, state: said });
          tx.insert(tx.database.verdicts, attemptId, { attemptId, jobId, verdict: said, payer, xid: tx.number() });
          const worker = tx.get(workers, attempt.workerId);
          if (worker !== undefined) tx.put(workers, worker.id, { ...worker, [said]: worker[said] + 1 });
        }
        return endJobs(tx, settle(tx, judged.map(({ verdict }) => verdict))); // prettier-ignore
      }); // prettier-ignore
    });
  }

  receiptTexts(on: Tx, attemptIds: readonly AttemptId[]): Promise<ReadonlyMap<AttemptId, string>> {
    return within(on, (tx) =>
      tx.statement('verdicts.receiptTexts', NONE, () =>
        new Map(attemptIds.flatMap((id) => {
          const receipt = tx.get(tx.database.receipts, id);
          return receipt === undefined ? [] : [[id, receipt.text] as const];
        })),
      ),
    ); // prettier-ignore
  }

  outputs(on: Tx, judged: Parameters<VerdictsStore['outputs']>[1]): Promise<readonly Output[]> {
    const wanted = new Set(judged.map(({ attemptId }) => attemptId));
    return within(on, (tx) =>
      tx.statement('verdicts.outputs', NONE, () => {
        const { outputs, attempts, jobs } = tx.database;
        return tx
          .all(outputs)
          .filter(({ attemptId }) => wanted.has(attemptId))
          .sort((a, b) => (`${a.attemptId} ${a.digest}` < `${b.attemptId} ${b.digest}` ? -1 : 1))
          .flatMap(({ attemptId, digest }): Output[] => {
            const attempt = tx.get(attempts, attemptId);
            const job = attempt === undefined ? undefined : tx.get(jobs, attempt.jobId);
            if (attempt === undefined || job === undefined) return [];
            const { workerId, jobId } = attempt;
            return [{ attemptId, digest, workerId, jobId, accountId: job.accountId }];
          });
      }),
    );
  }

  checkpointOf(on: Tx, attemptId: AttemptId) {
    return within(on, (tx) =>
      tx.statement('verdicts.checkpointOf', NONE, () => {
        const output = tx.get(tx.database.outputs, `${attemptId} ${TFJS_OUTPUTS.checkpoint}`);
        return output === undefined ? null : { digest: output.digest, sizeBytes: output.sizeBytes };
      }),
    );
  }

  voidDependents(on: Tx, rootId: TaskId): Promise<readonly Voided[]> {
    return within(on, async (tx) => {
      const later = () => laterThan(tx, rootId);
      const attemptsOf = (tasks: readonly TaskRow[]) => {
        const ids = new Set(tasks.map(({ id }) => id));
        return tx.all(tx.database.attempts).filter(({ taskId }) => ids.has(taskId));
      };
      await tx.statement('verdicts.lockLaterAttempts', () => rowsOf('attempts', attemptsOf(later()).map(({ id }) => id)), () => undefined); // prettier-ignore
      await tx.statement('verdicts.lockLaterTasks', () => rowsOf('tasks', later().map(({ id }) => id)), () => undefined); // prettier-ignore
      const locks = () => rowsOf('jobs', later().map(({ jobId }) => jobId)); // prettier-ignore
      return tx.statement('verdicts.void', locks, () => takeBack(tx, later()));
    });
  }
}

/** Every execution ends its own task; the one that settles the task they all repeat has the last word on that. */
function settle(tx: MemoryTx, judged: readonly Verdict[]): ReadonlyMap<JobId, number> {
  const { tasks } = tx.database;
  const ends = new Map<TaskId, { readonly verdict: Verdict; readonly counts: boolean }>();
  for (const verdict of judged) {
    const counts = verdict.settles === verdict.taskId;
    if (counts || !ends.has(verdict.taskId)) ends.set(verdict.taskId, { verdict, counts });
    if (verdict.settles !== null && !counts) ends.set(verdict.settles, { verdict, counts: true });
  }
  const done = new Map<JobId, number>();
  for (const [taskId, { verdict, counts }] of ends) {
    const task = tx.get(tasks, taskId);
    if (task?.state !== 'verifying') continue;
    const isRight = verdict.verdict === 'accepted' && verdict.failure === null;
    tx.put(tasks, taskId, { ...task, state: isRight ? 'succeeded' : 'failed' });
    if (counts && isRight) done.set(verdict.jobId, (done.get(verdict.jobId) ?? 0) + 1);
  }
  return done;
}

function endJobs(tx: MemoryTx, done: ReadonlyMap<JobId, number>): JobId[] {
  const { jobs, jobEnds } = tx.database;
  return [...done].flatMap(([jobId, count]) => {
    const job = tx.get(jobs, jobId);
    if (job === undefined) return [];
    const tasksLeft = job.tasksLeft - count;
    const isDone = tasksLeft === 0 && OPEN.includes(job.state);
    tx.put(jobs, jobId, { ...job, tasksLeft, state: isDone ? 'succeeded' : job.state });
    if ((isDone ? 'succeeded' : job.state) !== 'succeeded' || tx.get(jobEnds, jobId) !== undefined)
      return [];
    tx.insert(jobEnds, jobId, { jobId, state: 'succeeded', xid: tx.number() });
    return [jobId];
  });
}

/** Everything that depends on a task, directly or not, with the executions that check it. */
function laterThan(tx: MemoryTx, rootId: TaskId): TaskRow[] {
  const all = tx.all(tx.database.tasks);
  const later = new Set<TaskId>();
  for (let front: TaskId[] = [rootId]; front.length > 0; ) {
    const found = all.filter(({ id, dependsOn, role }) =>
      role === 'primary' && dependsOn !== null && front.includes(dependsOn) && !later.has(id)); // prettier-ignore
    for (const { id } of found) later.add(id);
    front = found.map(({ id }) => id);
  }
  return all.filter(({ id, role, rootId: root }) => later.has(id) || (role !== 'primary' && later.has(root)));
} // prettier-ignore

/** What the submitter asked for goes back in line while its job is open; checks of it are dropped, unless they are done. */
function takeBack(tx: MemoryTx, later: readonly TaskRow[]): Voided[] {
  const { attempts, tasks, jobs, voided, pace } = tx.database;
  const had: Voided[] = [];
  for (const task of later) {
    if (['cancelled', 'failed'].includes(task.state)) continue;
    const isOpen = OPEN.includes(tx.get(jobs, task.jobId)?.state ?? '');
    const attempt = tx.all(attempts).find(({ taskId, fence, live, state }) =>
      taskId === task.id && fence === task.fence && (live || ['reported', 'disputed', 'accepted', 'lost'].includes(state))); // prettier-ignore
    had.push({
      attemptId: attempt?.id ?? null,
      taskId: task.id,
      rootId: task.rootId,
      jobId: task.jobId,
      workerId: attempt?.workerId ?? null,
      reported: attempt !== undefined && ['reported', 'disputed'].includes(attempt.state),
    });
    if (attempt !== undefined) {
      const state = attempt.live ? 'cancelled' : attempt.state === 'lost' ? 'stale' : attempt.state;
      tx.put(attempts, attempt.id, { ...attempt, reason: 'void', live: false, finishedAtMs: attempt.finishedAtMs ?? pace.nowMs(), state }); // prettier-ignore
      if (attempt.state === 'accepted' && tx.get(voided, attempt.id) === undefined)
        tx.insert(voided, attempt.id, { attemptId: attempt.id, xid: tx.number() });
    }
    const isAsked = task.role === 'primary' || task.role === 'replica';
    const state =
      isOpen && isAsked ? 'queued' : task.state === 'succeeded' ? 'succeeded' : 'cancelled';
    tx.put(tasks, task.id, { ...task, waiting: false, state });
    const job = tx.get(jobs, task.jobId);
    if (job !== undefined && isOpen && task.role === 'primary' && task.state === 'succeeded')
      tx.put(jobs, job.id, { ...job, tasksLeft: job.tasksLeft + 1 });
  }
  return had;
}
