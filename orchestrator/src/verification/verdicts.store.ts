import type { VerifyPlan } from '@tidemill/core/job';
import type { AccountId, AttemptId, Digest, JobId, TaskId, WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import type { Window } from '../platform/db/stage-cursors.js';

/** A receipt that has no verdict yet. */
export interface Reported {
  readonly attemptId: AttemptId;
  readonly taskId: TaskId;
  readonly rootId: TaskId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly role: 'primary' | 'replica' | 'audit' | 'referee';
  readonly audited: boolean;
  readonly verify: VerifyPlan;
  readonly hash: Uint8Array;
  readonly result: string;
}

/** One execution of a task: its newest attempt that reported, or none yet. */
export interface Member {
  readonly taskId: TaskId;
  readonly rootId: TaskId;
  readonly jobId: JobId;
  readonly role: Reported['role'];
  readonly attemptId: AttemptId | null;
  readonly workerId: WorkerId | null;
  readonly result: string | null;
  readonly isJobOver: boolean;
}

export interface Verdict {
  readonly attemptId: AttemptId;
  readonly taskId: TaskId;
  readonly jobId: JobId;
  readonly verdict: 'accepted' | 'rejected';
  readonly reason: string;
  readonly payer: 'submitter' | 'fees' | 'nobody';
  /** Whether this settles the task that the job counts. */
  readonly settles: TaskId | null;
  readonly failure: string | null;
  /** Its receipt names no outputs, so that none need be looked for. */
  readonly hasNoOutputs?: boolean;
  /** What it started from was rejected: its outputs are nobody's wish. */
  readonly isVoid?: boolean;
  /** The receipt and its result, for the trail, when they are not in it yet. */
  readonly receipt?: { readonly hash: string; readonly result: string };
}

/** An execution in the line that the network itself wants. */
export interface WaitingCheck {
  readonly taskId: TaskId;
  readonly rootId: TaskId;
  /** Whether a worker had it before and came to no result. */
  readonly wasTaken: boolean;
}

/** A later segment that started from a result that was rejected. */
export interface Voided {
  readonly attemptId: AttemptId | null;
  readonly taskId: TaskId;
  readonly rootId: TaskId;
  readonly jobId: JobId;
  readonly workerId: WorkerId | null;
  /** Whether it waits for a verdict. */
  readonly reported: boolean;
}

/** An output that a receipt named. */
export interface Output {
  readonly attemptId: AttemptId;
  readonly digest: Digest;
  readonly workerId: WorkerId;
  readonly jobId: JobId;
  readonly accountId: AccountId;
}

export abstract class VerdictsStore {
  /** Receipts of a window, at most about `limit`, and where the window ends when it was cut. */
  abstract reported(
    tx: Tx,
    window: Window,
    limit: number,
  ): Promise<{ rows: readonly Reported[]; to: string; more: boolean }>;

  /** Of attempts that ran out of time, those that ran as long as their job's hold lasts, and not as long as the job allows. */
  abstract cutByHold(tx: Tx, attemptIds: readonly AttemptId[]): Promise<ReadonlySet<AttemptId>>;

  /** All executions of these tasks that were not cancelled. */
  abstract families(tx: Tx, rootIds: readonly TaskId[]): Promise<readonly Member[]>;

  /** Tasks with executions that wait for a verdict though their job ended in this window: nothing else will come. */
  abstract leftByEndedJobs(tx: Tx, window: Window): Promise<readonly TaskId[]>;

  /** Adds executions of tasks, by the payload the task has. */
  abstract addCopies(
    tx: Tx,
    copies: readonly { taskId: TaskId; rootId: TaskId; role: 'audit' | 'referee' }[],
  ): Promise<void>;

  /** Checks that wait for a worker and that nobody asked for, oldest first: audits, and referees of jobs that are over. */
  abstract waitingChecks(tx: Tx, limit: number): Promise<readonly WaitingCheck[]>;

  /** Drops executions that still wait; gives those that this call dropped. */
  abstract dropWaiting(tx: Tx, taskIds: readonly TaskId[]): Promise<readonly TaskId[]>;

  abstract markDisputed(tx: Tx, attemptIds: readonly AttemptId[]): Promise<void>;

  /** Writes verdicts, moves attempts, tasks and workers' counts; gives the jobs of which nothing is left to do. */
  abstract give(tx: Tx, verdicts: readonly Verdict[]): Promise<readonly JobId[]>;

  /** What these attempts reported, as it was signed. */
  abstract receiptTexts(
    tx: Tx,
    attemptIds: readonly AttemptId[],
  ): Promise<ReadonlyMap<AttemptId, string>>;

  /** What these attempts reported as their outputs. */
  abstract outputs(
    tx: Tx,
    attempts: readonly { readonly attemptId: AttemptId; readonly taskId: TaskId }[],
  ): Promise<readonly Output[]>;

  /** The checkpoint that an attempt reported, or null. */
  abstract checkpointOf(
    tx: Tx,
    attemptId: AttemptId,
  ): Promise<{ readonly digest: Digest; readonly sizeBytes: number } | null>;

  /** Takes back every task that depends on this one, directly or not; gives what each had. */
  abstract voidDependents(tx: Tx, rootId: TaskId): Promise<readonly Voided[]>;
}
