import type { Tx } from '../../platform/db/db.js';
import type { TaskId } from '@tidemill/protocol';
import { resultOf, type SoundReceipt } from '../../receipts/check-receipts.js';
import {
  ReceiptsStore,
  type Dependent,
  type RefusedReceipt,
  type Taken,
  type Unanswered,
} from '../../receipts/receipts.store.js';
import type { MemoryTx } from './memory-database.js';
import { NONE, rowsOf, within } from './memory-db.js';
import { digestOf } from './memory-jobs.store.js';
import type { AttemptRow, JobRow, OutputRow, TaskRow } from './rows.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export class MemoryReceiptsStore extends ReceiptsStore {
  take(on: Tx, sent: readonly SoundReceipt[]): Promise<readonly Taken[]> {
    if (sent.length === 0) return Promise.resolve([]);
    return within(on, (tx) => {
      const { attempts, tasks, jobs } = tx.database;
      const inOrder = [...sent].sort((a, b) => (a.receipt.attemptId < b.receipt.attemptId ? -1 : 1));
      // Attempts before their tasks, one receipt after another.
      function* locks() {
        for (const { receipt } of inOrder) {
          yield `attempts:${receipt.attemptId}`;
          const attempt = tx.get(attempts, receipt.attemptId);
          if (attempt !== undefined) yield `tasks:${attempt.taskId}`;
        }
      }
      return tx.statement('receipts.take', locks, () =>
        inOrder.flatMap((sound): Taken[] => {
          const attempt = tx.get(attempts, sound.receipt.attemptId);
          const task = attempt === undefined ? undefined : tx.get(tasks, attempt.taskId);
          const job = task === undefined ? undefined : tx.get(jobs, task.jobId);
          if (attempt === undefined || task === undefined || job === undefined) return [];
          if (!this.counts(sound, attempt, task)) return [];
          return [keep(tx, sound, attempt, task, job)];
        }),
      );
    }); // prettier-ignore
  }

  known(on: Tx, sent: readonly SoundReceipt[]): Promise<ReadonlySet<string>> {
    return within(on, (tx) =>
      tx.statement('receipts.known', NONE, () => {
        const kept = sent.filter(({ receipt, hash }) => {
          const row = tx.get(tx.database.receipts, receipt.attemptId);
          return row !== undefined && Buffer.compare(row.hash, hash) === 0;
        });
        return new Set(kept.map(({ hash }) => hex(hash)));
      }),
    );
  }

  stillOpen(on: Tx, reported: readonly Unanswered[]): Promise<readonly Unanswered[]> {
    return within(on, (tx) =>
      tx.statement('receipts.stillOpen', NONE, () => {
        const seen = new Set<string>();
        return reported.filter(({ attemptId, workerId }) => {
          const attempt = tx.get(tx.database.attempts, attemptId);
          if (attempt?.live !== true || attempt.workerId !== workerId || seen.has(attemptId))
            return false;
          const task = tx.get(tx.database.tasks, attempt.taskId);
          if (task?.fence !== attempt.fence || !['leased', 'running'].includes(task.state))
            return false;
          seen.add(attemptId);
          return true;
        });
      }),
    );
  }

  keepRefused(on: Tx, refused: readonly RefusedReceipt[]): Promise<void> {
    return within(on, (tx) => {
      const table = tx.database.refused;
      const locks = () => refused.map(({ hash }) => `refused:${hex(hash)}`);
      return tx.statement('receipts.keepRefused', locks, () => {
        for (const { hash, attemptId, workerId, code } of refused)
          if (tx.get(table, hex(hash)) === undefined)
            tx.insert(table, hex(hash), { attemptId, workerId, code });
      });
    });
  }

  addOutputs(on: Tx, outputs: readonly OutputRow[]): Promise<void> {
    return within(on, (tx) =>
      tx.statement('receipts.addOutputs', NONE, () => {
        for (const output of outputs)
          tx.insert(tx.database.outputs, `${output.attemptId} ${output.name}`, output);
      }),
    );
  }

  dependents(on: Tx, taskIds: readonly TaskId[]): Promise<readonly Dependent[]> {
    return within(on, (tx) =>
      tx.statement('receipts.dependents', NONE, () =>
        tx
          .all(tx.database.tasks)
          .flatMap(({ id, dependsOn, state, waiting, payload, inputs }) =>
            dependsOn !== null && taskIds.includes(dependsOn) && state === 'queued' && !waiting
              ? [{ taskId: id, dependsOn, payload, inputs }]
              : [],
          ),
      ),
    );
  }

  makeReady(on: Tx, ready: Parameters<ReceiptsStore['makeReady']>[1]): Promise<void> {
    return within(on, (tx) => {
      const { tasks } = tx.database;
      const locks = () => rowsOf('tasks', ready.map(({ taskId }) => taskId)); // prettier-ignore
      return tx.statement('receipts.makeReady', locks, () => {
        for (const { taskId, payload, inputs, preferred } of ready) {
          const task = tx.get(tasks, taskId);
          if (task?.state !== 'queued') continue;
          const payloadDigest = digestOf(payload);
          tx.put(tasks, taskId, { ...task, payload, payloadDigest, inputs, preferred, waiting: true });
        }
      }); // prettier-ignore
    });
  }

  /** Whether a receipt is about the attempt that its task waits for, under the fence that stands (G4). */
  protected counts({ receipt }: SoundReceipt, attempt: AttemptRow, task: TaskRow): boolean {
    return (
      attempt.taskId === receipt.taskId &&
      attempt.jobId === receipt.jobId &&
      attempt.workerId === receipt.workerId &&
      attempt.fence === receipt.fence &&
      ['leased', 'running', 'lost'].includes(attempt.state) &&
      task.fence === receipt.fence &&
      task.payloadDigest === receipt.taskDigest &&
      ['queued', 'leased', 'running'].includes(task.state)
    );
  }
}

function keep(
  tx: MemoryTx,
  { receipt, hash, text }: SoundReceipt,
  attempt: AttemptRow,
  task: TaskRow,
  job: JobRow,
): Taken {
  const { attempts, tasks, receipts, pace } = tx.database;
  const startedAtMs = attempt.startedAtMs ?? attempt.leasedAtMs;
  const seenMs = Math.floor(pace.nowMs() - startedAtMs);
  const checked = job.verify.method !== 'none';
  tx.put(tasks, task.id, { ...task, state: 'verifying', waiting: false });
  tx.put(attempts, attempt.id, {
    ...attempt,
    state: 'reported',
    live: false,
    reason: null,
    finishedAtMs: pace.nowMs(),
    startedAtMs,
    billableMs: Math.max(0, Math.min(receipt.usage.billableMs, job.maxDurationMs, seenMs)),
  });
  tx.insert(receipts, attempt.id, {
    attemptId: attempt.id,
    taskId: task.id,
    jobId: job.id,
    workerId: attempt.workerId,
    checked,
    hash,
    text,
    result: resultOf(receipt),
    xid: tx.number(),
  });
  return { attemptId: attempt.id, taskId: task.id, jobId: job.id, isChecked: checked };
}
