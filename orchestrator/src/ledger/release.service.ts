import { Injectable } from '@nestjs/common';
import { earn } from '@tidemill/core/ledger';
import type { AttemptId, WorkerId } from '@tidemill/protocol';
import { LedgerBook } from '../accounts/ledger-book.js';
import { Db } from '../platform/db/db.js';

/** A reward waits for the longer of these before it can no longer be withheld (B.6). */
const RELEASE_AFTER_MS = 24 * 3_600_000;
const RELEASE_AFTER_RESULTS = 200;
const MAX_PER_TURN = 1_000;

/** Releases earnings once the time in which they can be withheld is over. */
@Injectable()
export class ReleaseService {
  constructor(
    private readonly db: Db,
    private readonly book: LedgerBook,
  ) {}

  /** One turn; true when there are more. */
  async turn(): Promise<boolean> {
    return this.db.transaction(async (tx) => {
      const rows = await tx.query<{ attempt_id: AttemptId; worker_id: WorkerId; amount: bigint }>(
        RIPE,
        [RELEASE_AFTER_MS, RELEASE_AFTER_RESULTS, MAX_PER_TURN],
      );
      await this.book.book(
        tx,
        rows.map(({ attempt_id, worker_id, amount }) => earn(attempt_id, worker_id, amount)),
      );
      return rows.length === MAX_PER_TURN;
    });
  }
}

const RIPE = `
UPDATE charges SET released = true WHERE attempt_id IN (
  SELECT charge.attempt_id FROM charges AS charge JOIN workers AS worker ON worker.id = charge.worker_id
  WHERE NOT charge.released AND charge.at < clock_timestamp() - $1 * interval '1 millisecond'
    AND worker.accepted - charge.worker_results >= $2
  ORDER BY charge.at LIMIT $3 FOR UPDATE OF charge SKIP LOCKED
) RETURNING attempt_id, worker_id, (price - fee)::bigint AS amount`;
