import type { EarningsPeriod, MarketView } from '@tidemill/protocol';
import type { OpenWorker } from '@tidemill/core/scheduler';
import type { AttemptId, WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

export interface Earned {
  readonly from: Date;
  readonly results: number;
  readonly amount: bigint;
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

  abstract workersOnline(tx: Tx): Promise<readonly OpenWorker[]>;

  /** By runtime: tasks that wait, and attempts from one on. */
  abstract demand(tx: Tx, since: AttemptId): Promise<MarketView['demand']>;
}
