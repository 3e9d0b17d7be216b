import type { RootStatement } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

/** The epoch between its seal and its end, if there is one. */
export interface EpochUnderWay {
  readonly number: bigint;
  readonly state: 'sealed' | 'posted';
  readonly statement: RootStatement;
}

/** Where it is read, in the transaction that then moves it. */
export abstract class EpochsUnderWay {
  abstract now(tx: Tx): Promise<EpochUnderWay | null>;
  /** The last epoch that can be claimed against, or null. */
  abstract lastFinal(tx: Tx): Promise<bigint | null>;
}
