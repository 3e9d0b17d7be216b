import type { Tx } from './db.js';

/** A window of settled transactions: [from, to). */
export interface Window {
  readonly from: string;
  readonly to: string;
}

/**
 * The transactions that have settled since the stage's last turn. Holding the cursor's row keeps other replicas out until the
 * caller's transaction ends. A row whose transaction id is below the oldest running one can no longer be joined by a late
 * commit, so a window is read once and completely, without marking every row as done.
 */
export async function openWindow(tx: Tx, stage: string): Promise<Window> {
  const [row] = await tx.query<{ from: string; to: string }>(
    `SELECT xid::text AS from, pg_snapshot_xmin(pg_current_snapshot())::text AS to FROM stage_cursors WHERE stage = $1 FOR UPDATE`,
    [stage],
  );
  if (row === undefined) throw new Error(`no cursor for ${stage}`);
  return row;
}

/** Moves the cursor to the end of what was read. */
export async function closeWindow(tx: Tx, stage: string, to: string): Promise<void> {
  await tx.query('UPDATE stage_cursors SET xid = $2::xid8 WHERE stage = $1', [stage, to]);
}
