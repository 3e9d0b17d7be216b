import type { EarningsPeriod, EarningsView, MarketView } from '@tidemill/protocol';
import type { OpenWorker } from '@tidemill/core/scheduler';
import type { AttemptId, WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

export interface Earned {
  readonly from: Date;
  readonly results: number;
  readonly amount: bigint;
}

/** What an epoch on chain added to a worker's lifetime totals. */
export interface EarnedInEpoch {
  readonly epoch: bigint;
  readonly state: EarningsView['epochs'][number]['state'];
  readonly sealed_at: Date;
  readonly amount: bigint;
  readonly slashed: bigint;
}

/** Reads what owners decide their prices by. */
export abstract class MarketStore {
  abstract isWorker(tx: Tx, id: WorkerId): Promise<boolean>;

  /** What a worker was booked for results, by periods in UTC, oldest first. */
  abstract earnings(
    tx: Tx,
    id: WorkerId,
    by: EarningsPeriod,
    from: Date | null,
    to: Date | null,
    limit: number,
  ): Promise<readonly Earned[]>;

  /** By the epochs in which its leaf changed, the newest first. */
  abstract epochs(tx: Tx, id: WorkerId, limit: number): Promise<readonly EarnedInEpoch[]>;

  abstract workersOnline(tx: Tx): Promise<readonly OpenWorker[]>;

  /** By runtime: tasks that wait, and attempts from one on. */
  abstract demand(tx: Tx, since: AttemptId): Promise<MarketView['demand']>;
}
