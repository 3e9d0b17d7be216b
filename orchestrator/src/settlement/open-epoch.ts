import type { Tx } from '../platform/db/db.js';
import type { EpochRow } from './epoch-rows.js';

/**
 * The epoch that charges may still join, locked until the transaction ends: joining and sealing take turns, whichever process does
 * them. The first one is opened here, since a network without a chain has none.
 */
export async function lockOpenEpoch(tx: Tx): Promise<EpochRow> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const [row] = await tx.query<EpochRow>(LOCK);
    if (row !== undefined) return row;
    await tx.query(OPEN_FIRST);
  }
  throw new Error('no epoch stays open');
}

/** What was waited for may have been sealed meanwhile, and what was opened then is seen by the next statement only. */
const TRIES = 5;
const LOCK = `SELECT * FROM epochs WHERE state = 'open' FOR UPDATE`;
const OPEN_FIRST = `INSERT INTO epochs (number) SELECT 1 WHERE NOT EXISTS (SELECT FROM epochs) ON CONFLICT DO NOTHING`;
