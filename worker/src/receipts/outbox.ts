import type { AttemptId, LeaseRef } from '@tidemill/protocol';

/** A receipt that waits to be acknowledged. */
export interface KeptReceipt extends LeaseRef {
  readonly text: string;
  /** Wall clock; after it the receipt says nothing to anybody. */
  readonly expiresAtMs: number;
}

/**
 * Keeps receipts until they are acknowledged, across restarts and power cuts.
 *
 * One caller, one call at a time. A failed `append` kept nothing that may be relied on, and may be tried again; a failed `remove`
 * only means that a receipt is sent once more, which is harmless.
 */
export interface Outbox {
  /** What an earlier process left, oldest first. Called once, before anything else. */
  open(): Promise<readonly KeptReceipt[]>;
  /** Resolves when every one of them is on disk. */
  append(receipts: readonly KeptReceipt[]): Promise<void>;
  /** Forgets them. */
  remove(attemptIds: readonly AttemptId[]): Promise<void>;
  close(): Promise<void>;
}
