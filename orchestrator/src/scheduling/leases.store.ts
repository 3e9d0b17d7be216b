import type { KeptInputs } from '@tidemill/core/scheduler';
import type { AttemptEnd } from '@tidemill/core/lease';
import type { AttemptId, JobId, Offer, Resources, TaskId, WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

/** A placement that is to become a lease. */
export interface NewLease {
  readonly attemptId: AttemptId;
  readonly taskId: TaskId;
  readonly fence: number;
  readonly workerId: WorkerId;
  readonly revision: number;
  readonly resources: Resources;
  /** The runtime class that the executions of this task are then compared in; null for a task that runs once. */
  readonly runtimeClass: string | null;
}

/** A lease that stands, ready to be offered. */
export interface Leased {
  readonly workerId: WorkerId;
  readonly offer: Offer;
}

export interface Held {
  readonly workerId: WorkerId;
  readonly attemptId: AttemptId;
  readonly fence: number;
  /** How long ago the worker took it, in milliseconds; null when that is not known, and then its offer counts. */
  readonly agoMs: number | null;
}

/** An attempt that ended without a result, and what its task has left. */
export interface EndedAttempt {
  readonly attemptId: AttemptId;
  readonly taskId: TaskId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly attemptsUsed: number;
  readonly maxAttempts: number;
  readonly end: AttemptEnd;
  readonly detail: string | null;
}

/** An attempt that its worker has to stop. */
export interface Stopped {
  readonly workerId: WorkerId;
  readonly attemptId: AttemptId;
  readonly reason: 'cancelled' | 'lost';
}

/** Where leases are kept. Every change is one conditional statement: what changed meanwhile is left as it is. */
export abstract class LeasesStore {
  /** Leases tasks that are still waiting with the fence that was read; raises the fence in the same statement (G4). */
  abstract lease(tx: Tx, leases: readonly NewLease[]): Promise<readonly Leased[]>;

  /** Keeps what a plan was decided on, once; it can be asked for until it is forgotten. */
  abstract keepInputs(tx: Tx, kept: KeptInputs): Promise<void>;

  /** Forgets what plans were decided on that are older than this. */
  abstract forgetInputs(tx: Tx, olderThanMs: number): Promise<void>;

  /** Offered → active; gives the attempts that are, those that were before included. */
  abstract activate(tx: Tx, held: readonly Held[]): Promise<ReadonlySet<AttemptId>>;

  /** Of what a worker says it holds, the leases that are live; and those it took and does not hold any more. */
  abstract reconcile(
    tx: Tx,
    workerId: WorkerId,
    holding: readonly AttemptId[],
  ): Promise<{ kept: AttemptId[]; forgotten: AttemptId[] }>;

  /** Ends live attempts of a worker, or any when it is null, and gives what their tasks have left. */
  abstract endAttempts(
    tx: Tx,
    ends: readonly { attemptId: AttemptId; end: AttemptEnd; detail: string | null }[],
    workerId: WorkerId | null,
  ): Promise<readonly EndedAttempt[]>;

  /** Puts tasks back in line; `free` says that the attempt shall not count. */
  abstract requeue(
    tx: Tx,
    tasks: readonly { taskId: TaskId; free: boolean; exclude: WorkerId | null }[],
  ): Promise<void>;

  /** Tasks that have used up their attempts. */
  abstract fail(tx: Tx, taskIds: readonly TaskId[]): Promise<void>;

  /** Live attempts whose worker is lost, and whether it had taken them. */
  abstract ofLostWorkers(
    tx: Tx,
    limit: number,
  ): Promise<readonly { id: AttemptId; taken: boolean }[]>;

  /** Offers nobody took within `olderThanMs`. */
  abstract staleOffers(tx: Tx, olderThanMs: number, limit: number): Promise<readonly AttemptId[]>;

  /** Live attempts that have run for longer than their job or its hold allows, and so much more. */
  abstract overrun(tx: Tx, graceMs: number, limit: number): Promise<readonly AttemptId[]>;

  /** Tells once of each live attempt that has run for most of what its job's hold pays for; gives how many that were. */
  abstract warnOfHolds(tx: Tx): Promise<number>;

  /** Cancels live attempts whose task was cancelled; gives who has to stop what. */
  abstract cancelOrphans(
    tx: Tx,
    limit: number,
  ): Promise<readonly { workerId: WorkerId; attemptId: AttemptId }[]>;

  /** Which of these have ended without their worker, and why. */
  abstract stopped(tx: Tx, attemptIds: readonly AttemptId[]): Promise<readonly Stopped[]>;

  /** Offers of leases that stand, for workers connected elsewhere than where they were leased. */
  abstract openOffers(tx: Tx, workerIds: readonly WorkerId[]): Promise<readonly Leased[]>;
}
