import type { Tx } from '../platform/db/db.js';
import type { EpochRow } from './epoch-rows.js';

/**
 * The epoch that charges may still join, locked until the transaction ends: joining and sealing take turns, whichever process does
 * them. The first one is opened here, since a network without a chain has none.
 */
export async function lockOpenEpoch(tx: Tx): Promise<EpochRow> {
  const [row] = await tx.query<EpochRow>(LOCK);
  if (row !== undefined) return row;
  await tx.query(OPEN_FIRST);
  const [first] = await tx.query<EpochRow>(LOCK);
  // Another process has sealed the one that was waited for: the next turn finds what it opened.
  if (first === undefined) throw new Error('no epoch is open');
  return first;
}

const LOCK = `SELECT * FROM epochs WHERE state = 'open' FOR UPDATE`;
const OPEN_FIRST = `INSERT INTO epochs (number) SELECT 1 WHERE NOT EXISTS (SELECT FROM epochs) ON CONFLICT DO NOTHING`;
