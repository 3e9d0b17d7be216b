import type { WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

/** What an order is checked against. */
export interface Owned {
  readonly publicKey: string;
  readonly payout: string;
  readonly next: { readonly payout: string; readonly at: Date } | null;
  /** When the last order that changed something was issued. */
  readonly orderedMs: number;
}

export interface DuePayout {
  readonly id: WorkerId;
  readonly payout: string;
}

/** What belongs to a worker's owner: its key and where it is paid. Delays run on the database's clock. */
export abstract class OwnersStore {
  /** The worker, locked until the transaction ends; null when there is none. */
  abstract lock(tx: Tx, id: WorkerId): Promise<Owned | null>;

  /** Has the payout address change after a delay; null calls a change off. */
  abstract changePayout(
    tx: Tx,
    id: WorkerId,
    issuedAtMs: number,
    payout: string | null,
    delayMs: number,
  ): Promise<void>;

  /** Replaces the key and retires the old one; false when the new one is, or was, the key of a worker. */
  abstract changeKey(
    tx: Tx,
    id: WorkerId,
    issuedAtMs: number,
    from: string,
    to: string,
  ): Promise<boolean>;

  /** Carries out changes of the payout address whose delay is over. */
  abstract payDue(tx: Tx): Promise<readonly DuePayout[]>;
}
