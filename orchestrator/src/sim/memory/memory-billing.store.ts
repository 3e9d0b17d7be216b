import type { JobId } from '@tidemill/protocol';
import {
  BillingStore,
  type Charge,
  type Due,
  type Leftover,
  type Refund,
  type Ripe,
} from '../../ledger/billing.store.js';
import type { Tx } from '../../platform/db/db.js';
import type { Window } from '../../platform/db/stage-cursors.js';
import type { MemoryTx } from './memory-database.js';
import { NONE, rowsOf, within } from './memory-db.js';
import { cut } from './memory-verdicts.store.js';
import type { JobRow } from './rows.js';

export class MemoryBillingStore extends BillingStore {
  due(on: Tx, window: Window, limit: number) {
    return within(on, (tx) =>
      tx.statement('billing.due', NONE, () => {
        const { verdicts, attempts, jobs } = tx.database;
        const { rows, to, more } = cut(tx.all(verdicts), window, limit);
        const due = rows.flatMap(({ attemptId, jobId, payer, xid }): Due[] => {
          const attempt = tx.get(attempts, attemptId);
          const job = tx.get(jobs, jobId);
          if (attempt === undefined || job === undefined) return [];
          return [
            {
              attempt_id: attemptId,
              job_id: jobId,
              account_id: job.accountId,
              worker_id: attempt.workerId,
              payer,
              gpu_milli: attempt.resources.gpuMilli,
              cpu_milli: attempt.resources.cpuMilli,
              gpu_ask: attempt.gpuAsk,
              cpu_ask: attempt.cpuAsk,
              billable_ms: BigInt(attempt.billableMs ?? 0),
              task_cap: job.taskCap,
              hold: job.hold,
              is_only: isChargedOnce(job),
              xid: String(xid),
            },
          ];
        });
        return { rows: due, to, more };
      }),
    );
  }

  addCharges(on: Tx, charges: readonly Charge[], released: boolean): Promise<void> {
    if (charges.length === 0) return Promise.resolve();
    return within(on, (tx) => {
      const locks = () => rowsOf('charges', charges.map(({ attemptId }) => attemptId)); // prettier-ignore
      return tx.statement('billing.addCharges', locks, () => {
        for (const charge of charges) {
          const worker = tx.get(tx.database.workers, charge.workerId);
          if (worker === undefined) continue;
          tx.insert(tx.database.charges, charge.attemptId, {
            ...charge,
            atMs: tx.database.pace.nowMs(),
            workerResults: worker.accepted,
            released,
            refunded: false,
          });
        }
      });
    });
  }

  refund(on: Tx, window: Window): Promise<readonly Refund[]> {
    return within(on, (tx) => {
      const { charges, voided, jobs } = tx.database;
      const wanted = () =>
        cut(tx.all(voided), window, Infinity).rows.flatMap(({ attemptId }) => {
          const charge = tx.get(charges, attemptId);
          return charge !== undefined && charge.payer === 'submitter' && !charge.refunded
            ? [charge]
            : [];
        });
      const locks = () => rowsOf('charges', wanted().map(({ attemptId }) => attemptId)); // prettier-ignore
      return tx.statement('billing.refund', locks, () =>
        wanted().flatMap((charge): Refund[] => {
          const job = tx.get(jobs, charge.jobId);
          if (job === undefined) return [];
          tx.put(charges, charge.attemptId, { ...charge, refunded: true });
          const { attemptId, jobId, price } = charge;
          return [{ attempt_id: attemptId, job_id: jobId, account_id: job.accountId, price }];
        }),
      );
    });
  }

  leftovers(
    on: Tx,
    window: Window,
    billed: readonly JobId[],
    settled: readonly JobId[],
  ): Promise<readonly Leftover[]> {
    return within(on, (tx) =>
      tx.statement('billing.leftovers', NONE, () => {
        const { jobEnds, jobs } = tx.database;
        const candidates = new Set([
          ...cut(tx.all(jobEnds), window, Infinity)
            .rows.map(({ jobId }) => jobId)
            .filter((jobId) => !settled.includes(jobId)),
          ...billed.filter((jobId) => tx.get(jobEnds, jobId) !== undefined),
        ]);
        return [...candidates].flatMap((jobId): Leftover[] => {
          const job = tx.get(jobs, jobId);
          if (job === undefined || !isSettled(tx, jobId)) return [];
          const charged = tx
            .all(tx.database.charges)
            .filter((one) => one.jobId === jobId && one.payer === 'submitter' && !one.refunded)
            .reduce((sum, { price }) => sum + price, 0n);
          return [{ job_id: jobId, account_id: job.accountId, amount: job.hold - charged }];
        });
      }),
    );
  }

  /** The simulated network has no chain, which alone asks for this. */
  settle(): Promise<void> {
    return Promise.resolve();
  }

  release(on: Tx, afterMs: number, afterResults: number, limit: number): Promise<readonly Ripe[]> {
    return within(on, (tx) => {
      const { charges, workers, pace } = tx.database;
      const ripe = () =>
        tx
          .all(charges)
          .filter((charge) => {
            const results = (tx.get(workers, charge.workerId)?.accepted ?? 0) - charge.workerResults;
            return !charge.released && charge.atMs < pace.nowMs() - afterMs && results >= afterResults;
          })
          .slice(0, limit); // prettier-ignore
      const locks = () => rowsOf('charges', ripe().map(({ attemptId }) => attemptId)); // prettier-ignore
      return tx.statement('billing.release', locks, () =>
        ripe().map((charge): Ripe => {
          tx.put(charges, charge.attemptId, { ...charge, released: true });
          const { attemptId, workerId, price, fee } = charge;
          return { attempt_id: attemptId, worker_id: workerId, amount: price - fee };
        }),
      );
    });
  }
}

/** Whether one verdict decides all a job will ever cost. */
const isChargedOnce = ({ tasksTotal, verify }: JobRow): boolean =>
  tasksTotal === 1 && verify.method === 'none';

/** Whether nothing more will be charged to a job that has ended. */
function isSettled(tx: MemoryTx, jobId: JobId): boolean {
  const { tasks, verdicts, charges } = tx.database;
  const isVerifying = tx.all(tasks).some((one) => one.jobId === jobId && one.state === 'verifying');
  const isOwed = tx
    .all(verdicts)
    .some((one) => one.jobId === jobId && one.payer === 'submitter' && tx.get(charges, one.attemptId) === undefined);
  return !isVerifying && !isOwed;
} // prettier-ignore
