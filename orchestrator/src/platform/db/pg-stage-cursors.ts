import type { Tx } from './db.js';
import { StageCursors, type Window } from './stage-cursors.js';

export class PgStageCursors extends StageCursors {
  /**
   * Holding the cursor's row keeps the others out. What is waited for is read anew, but the horizon is that of the moment the
   * statement began: another replica may have gone further meanwhile, and a window never ends before it begins.
   */
  async open(tx: Tx, stage: string): Promise<Window> {
    const [row] = await tx.query<{ from: string; to: string }>(
      `SELECT xid::text AS from, greatest(xid, pg_snapshot_xmin(pg_current_snapshot()))::text AS to FROM stage_cursors WHERE stage = $1 FOR UPDATE`,
      [stage],
    );
    if (row === undefined) throw new Error(`no cursor for ${stage}`);
    return row;
  }

  async close(tx: Tx, stage: string, to: string): Promise<void> {
    await tx.query('UPDATE stage_cursors SET xid = $2::xid8 WHERE stage = $1', [stage, to]);
  }
}
