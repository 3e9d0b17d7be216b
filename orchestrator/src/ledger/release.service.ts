import { Injectable } from '@nestjs/common';
import { earn } from '@tidemill/core/ledger';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import { Db } from '../platform/db/db.js';
import { BillingStore } from './billing.store.js';

/** A reward waits for the longer of these before it can no longer be withheld (B.6). */
const RELEASE_AFTER_MS = 24 * 3_600_000;
const RELEASE_AFTER_RESULTS = 200;
const MAX_PER_TURN = 1_000;

/** Releases earnings once the time in which they can be withheld is over. */
@Injectable()
export class ReleaseService {
  constructor(
    private readonly db: Db,
    private readonly billing: BillingStore,
    private readonly book: LedgerBook,
  ) {}

  /** One turn; true when there are more. */
  async turn(): Promise<boolean> {
    return this.db.transaction(async (tx) => {
      const rows = await this.billing.release(
        tx,
        RELEASE_AFTER_MS,
        RELEASE_AFTER_RESULTS,
        MAX_PER_TURN,
      );
      await this.book.book(
        tx,
        rows.map(({ attempt_id, worker_id, amount }) => earn(attempt_id, worker_id, amount)),
      );
      return rows.length === MAX_PER_TURN;
    });
  }
}
