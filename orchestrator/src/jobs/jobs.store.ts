import type { OpenWorker } from '@tidemill/core/scheduler';
import type { AccountId, Digest, JobId, JobState, KeyId, TaskId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import type { JobDraft } from './draft.js';

/** A draft with its ids: one id a task, first the primaries in order, then the copies of each. */
export interface NewJob {
  readonly id: JobId;
  readonly accountId: AccountId;
  /** The key whose budget it spends; null for a login. */
  readonly budgetKey: KeyId | null;
  readonly draft: JobDraft;
  readonly taskIds: readonly TaskId[];
}

export interface JobEnd {
  readonly jobId: JobId;
  readonly state: Extract<JobState, 'failed' | 'cancelled' | 'expired' | 'succeeded'>;
  readonly code: string | null;
  readonly message: string | null;
}

/** What an Idempotency-Key stands for. */
export interface KeyedRequest {
  readonly operation: string;
  readonly bodyDigest: Uint8Array;
  readonly answer: string;
}

/** A key that is to stand for a request. */
export interface KeyClaim extends KeyedRequest {
  readonly accountId: AccountId;
  readonly key: string;
}

/** Where jobs and tasks are kept. Every method joins the caller's transaction. */
export abstract class JobsStore {
  abstract insert(tx: Tx, jobs: readonly NewJob[]): Promise<void>;

  /**
   * Takes the keys that no request of their account has; gives the claims that were granted. One that another transaction is
   * taking is waited for, and of two equal keys the first is granted.
   */
  abstract claimKeys(tx: Tx, claims: readonly KeyClaim[]): Promise<ReadonlySet<KeyClaim>>;

  /** The request that has this key, or null. */
  abstract keyedRequest(tx: Tx, accountId: AccountId, key: string): Promise<KeyedRequest | null>;

  /** Ends jobs that have not ended; gives those that this call ended. Tasks without a result are cancelled with their job. */
  abstract end(tx: Tx, ends: readonly JobEnd[]): Promise<readonly JobId[]>;

  /** Open jobs past their deadline, at most `limit`. */
  abstract overdue(tx: Tx, limit: number): Promise<readonly JobId[]>;

  /** An open job of the account with a task that reads this artifact, or null. */
  abstract openJobReading(tx: Tx, accountId: AccountId, digest: Digest): Promise<JobId | null>;

  abstract forgetKeys(tx: Tx, olderThanMs: number): Promise<void>;

  /** Workers that are online, with all they lend, in order of their ids. */
  abstract workersOnline(tx: Tx): Promise<readonly OpenWorker[]>;

  /** Tasks that wait, by account. */
  abstract waiting(tx: Tx): Promise<ReadonlyMap<string, number>>;
}
