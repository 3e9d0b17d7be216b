import type pg from 'pg';

/**
 * Refuses a database whose rows know transactions that this cluster has yet to come to: it was restored from a dump. Stages follow
 * each other by transaction ids, so they would pass over all that is new until the counter has caught up, and then read what is
 * old once more. A cluster that is further than the rows is no harm, however it came to them.
 */
export async function refuseBehindItsRows(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ epoch: string }>(BEHIND);
  const [behind] = rows;
  if (behind === undefined) return;
  throw new Error(
    `the database was restored from a dump: its rows know transactions of epoch ${BigInt(behind.epoch)}, which this PostgreSQL has not come to. ` +
      `Stop PostgreSQL, run "pg_resetwal --epoch=${BigInt(behind.epoch) + 1n} DATA_DIRECTORY" as its user, start it and then this again`,
  );
}

/** The newest transaction of any row that has one: everything accepted, placed or given is in the trail too. */
const BEHIND = `
WITH known AS (
  SELECT xid FROM stage_cursors
  UNION ALL (SELECT xid FROM trail_events ORDER BY xid DESC LIMIT 1)
  UNION ALL (SELECT xid FROM receipts ORDER BY xid DESC LIMIT 1)
  UNION ALL (SELECT xid FROM verdicts ORDER BY xid DESC LIMIT 1)
  UNION ALL (SELECT xid FROM job_ends ORDER BY xid DESC LIMIT 1)
)
SELECT floor(xid::text::numeric / 4294967296)::bigint AS epoch
FROM known WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) ORDER BY xid DESC LIMIT 1`;
