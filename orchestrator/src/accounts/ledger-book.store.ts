import type { Bucket, Entry } from '@tidemill/core/ledger';
import type { Tx } from '../platform/db/db.js';

/** Where ledger entries are kept. It refuses an entry that does not sum to zero, and a balance below zero. */
export abstract class LedgerBook {
  /**
   * Books entries inside the caller's transaction, each once for its kind and ref; what was booked before stays as it was, and
   * an entry that moves nothing is not written. Gives the entries that are new. @throws the check violation `balance_not_negative` when money is missing
   */
  abstract book(tx: Tx, wanted: readonly Entry[]): Promise<readonly Entry[]>;

  /** Balances of an owner's buckets, in base units; a bucket that was never used is 0. */
  abstract balances(owner: string, on?: Tx): Promise<Record<Bucket, bigint>>;
}

/** What an owner has who has nothing. */
export const noBalances = (): Record<Bucket, bigint> => ({
  available: 0n,
  held: 0n,
  withdrawing: 0n,
  pending: 0n,
  earned: 0n,
  fees: 0n,
  grants: 0n,
  vault: 0n,
});
