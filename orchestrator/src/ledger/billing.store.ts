import type { AttemptId, JobId, WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import type { Window } from '../platform/db/stage-cursors.js';

/** An accepted attempt that is to be paid. */
export interface Due {
  readonly attempt_id: AttemptId;
  readonly job_id: JobId;
  readonly account_id: string;
  readonly worker_id: WorkerId;
  readonly payer: 'submitter' | 'fees' | 'nobody';
  readonly gpu_milli: number;
  readonly cpu_milli: number;
  readonly gpu_ask: bigint;
  readonly cpu_ask: bigint;
  readonly billable_ms: bigint;
  readonly task_cap: bigint;
  readonly hold: bigint;
  /** Whether this is all that will ever be charged to its job. */
  readonly is_only: boolean;
  readonly xid: string;
}

export interface Charge {
  readonly attemptId: AttemptId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly price: bigint;
  readonly fee: bigint;
  readonly payer: 'submitter' | 'fees';
  /** Whether nothing of its job will be charged or taken back any more, where a chain asks for it; else never. */
  readonly settled: boolean;
}

/** A charge that is taken back. */
export interface Refund {
  readonly attempt_id: AttemptId;
  readonly job_id: JobId;
  readonly account_id: string;
  readonly price: bigint;
}

/** What of a job's hold is left when nothing more will be charged to it. */
export interface Leftover {
  readonly job_id: JobId;
  readonly account_id: string;
  readonly amount: bigint;
}

/** A worker's part of a charge that can no longer be withheld. */
export interface Ripe {
  readonly attempt_id: AttemptId;
  readonly worker_id: WorkerId;
  readonly amount: bigint;
}

/** Reads what is owed and keeps what was charged. */
export abstract class BillingStore {
  /** Verdicts of a window, at most about `limit`, and where the window ends when it was cut. */
  abstract due(
    tx: Tx,
    window: Window,
    limit: number,
  ): Promise<{ rows: readonly Due[]; to: string; more: boolean }>;

  abstract addCharges(tx: Tx, charges: readonly Charge[], released: boolean): Promise<void>;

  /** Takes back what submitters were charged for results that this window found void; each charge once. */
  abstract refund(tx: Tx, window: Window): Promise<readonly Refund[]>;

  /** Jobs of the window that have ended and of which every verdict is booked, but for those that are `settled` already. */
  abstract leftovers(
    tx: Tx,
    window: Window,
    billed: readonly JobId[],
    settled: readonly JobId[],
  ): Promise<readonly Leftover[]>;

  /** Notes that nothing more will be charged to these jobs, or taken back: their charges may be paid on chain. */
  abstract settle(tx: Tx, jobs: readonly JobId[]): Promise<void>;

  /** Releases at most `limit` charges that are so old and after which their workers had so many accepted results; each once. */
  abstract release(
    tx: Tx,
    afterMs: number,
    afterResults: number,
    limit: number,
  ): Promise<readonly Ripe[]>;
}
