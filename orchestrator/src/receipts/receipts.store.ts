import type { AttemptId, Digest, JobId, TaskId, WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import type { SoundReceipt } from './check-receipts.js';

/** A receipt that came to count. */
export interface Taken {
  readonly attemptId: AttemptId;
  readonly taskId: TaskId;
  readonly jobId: JobId;
  /** Whether the job asked for its results to be checked. */
  readonly isChecked: boolean;
}

/** A receipt that does not count, and why. */
export interface RefusedReceipt {
  readonly attemptId: string;
  readonly workerId: WorkerId;
  readonly hash: Uint8Array;
  readonly text: string;
  readonly code: string;
}

/** An attempt of which a worker said something that does not count. */
export interface Unanswered {
  readonly attemptId: AttemptId;
  readonly workerId: WorkerId;
  readonly code: string;
}

export interface Dependent {
  readonly taskId: TaskId;
  readonly dependsOn: TaskId;
  readonly payload: string;
  readonly inputs: string;
}

export abstract class ReceiptsStore {
  /**
   * Takes each receipt by one conditional update that matches task, attempt, worker, fence, payload and state together (G4); gives
   * those that count. Time plays no part: a late receipt whose fence is still the task's highest counts.
   */
  abstract take(tx: Tx, receipts: readonly SoundReceipt[]): Promise<readonly Taken[]>;

  /** Hashes, in hexadecimal, of the receipts among these that are kept already. */
  abstract known(tx: Tx, receipts: readonly SoundReceipt[]): Promise<ReadonlySet<string>>;

  /** Those whose attempt is this worker's and still open, with a task that waits for its result. */
  abstract stillOpen(tx: Tx, reported: readonly Unanswered[]): Promise<readonly Unanswered[]>;

  /** Keeps what does not count, as evidence. */
  abstract keepRefused(tx: Tx, refused: readonly RefusedReceipt[]): Promise<void>;

  abstract addOutputs(
    tx: Tx,
    outputs: readonly {
      taskId: TaskId;
      attemptId: AttemptId;
      name: string;
      digest: Digest;
      sizeBytes: number;
    }[],
  ): Promise<void>;

  /** Tasks that wait for the checkpoint of one of these. */
  abstract dependents(tx: Tx, taskIds: readonly TaskId[]): Promise<readonly Dependent[]>;

  abstract makeReady(
    tx: Tx,
    tasks: readonly { taskId: TaskId; payload: string; inputs: string; preferred: WorkerId }[],
  ): Promise<void>;
}
