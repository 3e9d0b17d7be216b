import type { Tx } from '../platform/db/db.js';

/** The newest transaction of the network's account that has been booked. */
export interface Cursor {
  readonly signature: string;
  readonly slot: bigint;
}

/** Why settlement stands still. */
interface Stopped {
  readonly at: Date;
  readonly why: string;
}

export interface ChainState {
  readonly cursor: Cursor | null;
  readonly stopped: Stopped | null;
  readonly reconciledAt: Date | null;
  readonly reconciledSlot: bigint | null;
}

/** How far the chain has been read, and whether settlement may go on. */
export abstract class ChainStateStore {
  abstract state(tx: Tx): Promise<ChainState>;
  /** Keeps bookings of others out until the transaction ends. */
  abstract lock(tx: Tx): Promise<void>;
  /** Moves the cursor. False when it is not where it is thought to be: another replica was faster, and nothing must be booked. */
  abstract advance(tx: Tx, from: Cursor | null, to: Cursor): Promise<boolean>;
  /** Says that the books agreed with the chain at a slot. */
  abstract reconciled(tx: Tx, slot: bigint): Promise<void>;
  /** False when it had been stopped already. */
  abstract stop(tx: Tx, why: string): Promise<boolean>;
  /** False when it was not stopped. */
  abstract resume(tx: Tx): Promise<boolean>;
  /** What indexes were paid since the beginning, as far as it is booked; none for those that never were. */
  abstract paid(tx: Tx, indexes: readonly number[]): Promise<Map<number, bigint>>;
  abstract setPaid(tx: Tx, paid: ReadonlyMap<number, bigint>): Promise<void>;
}
