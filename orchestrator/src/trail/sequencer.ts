import type { SequencerDb, Tx } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { chainBatch, type TrailHead } from './chain-batch.js';

/** Most events that get their place in one transaction. */
export const MAX_BATCH = 5_000;

/** The trail as a sequencer finds it. */
export interface Backlog {
  /** When the first event without a place says it happened; null when all have theirs. */
  readonly oldestAtMs: number | null;
  /** Whether that event's place can be given now: no transaction that could come before it is still running. */
  readonly settled: boolean;
  /** Whether this sequencer holds the fence. */
  readonly mine: boolean;
}

/**
 * Gives committed events their place, in the order (xid, id).
 *
 * The rows of transactions before the oldest running one are complete for good, so those between the last place and there are
 * exactly the next ones. How far it got is stored in the transaction that gives the places, under a row lock and an epoch:
 * whichever sequencer took the newest epoch is the only one that places anything.
 */
export class Sequencer {
  private epoch = -1n;

  constructor(
    private readonly db: SequencerDb,
    private readonly maxBatch = MAX_BATCH,
  ) {}

  /** Looks without locking or writing anything. */
  async backlog(): Promise<Backlog> {
    const [row] = await this.db.query<{
      epoch: bigint;
      at_ms: bigint | null;
      settled: boolean | null;
    }>(BACKLOG);
    if (row === undefined) throw new Error('trail_sequencer has no row');
    return {
      oldestAtMs: row.at_ms === null ? null : Number(row.at_ms),
      settled: row.settled ?? false,
      mine: row.epoch === this.epoch,
    };
  }

  /**
   * Takes the fence from whoever has it. In another cluster than last time, the trail comes from a dump and transaction ids
   * start lower: then every event without a place gets one first. Returns how many did.
   */
  async claim(): Promise<number> {
    const { epoch, placed } = await this.db.transaction(async (tx) => {
      const [row] = await tx.query<SequencerRow & { here: bigint }>(LOCK_ANY);
      if (row === undefined) throw new Error('trail_sequencer has no row');
      const moved = row.system_id !== 0n && row.system_id !== row.here;
      const repaired = moved ? await this.repair(tx, row) : 0;
      await tx.query(CLAIM, [row.epoch + 1n, row.here]);
      faultPoint('trail.claim.before-commit');
      return { epoch: row.epoch + 1n, placed: repaired };
    });
    faultPoint('trail.claim.after-commit');
    this.epoch = epoch;
    return placed;
  }

  /** Places up to a batch of events. Returns how many, or null when another sequencer has taken the fence. */
  async place(): Promise<number | null> {
    const placed = await this.db.transaction(async (tx) => {
      const [row] = await tx.query<SequencerRow>(LOCK, [this.epoch]);
      if (row === undefined) return null;
      const [batch] = await tx.query<BatchRow>(NEXT, [
        row.last_xid,
        row.last_id,
        row.restored,
        this.maxBatch,
      ]);
      if (batch === undefined || batch.count === 0) return 0;
      await write(tx, headOf(row), batch);
      faultPoint('trail.place.before-commit');
      return batch.count;
    });
    if (placed !== null && placed > 0) faultPoint('trail.place.after-commit');
    return placed;
  }

  private async repair(tx: Tx, row: SequencerRow): Promise<number> {
    await tx.query('SET LOCAL statement_timeout = 0'); // it compares the whole trail, once
    let head = headOf(row);
    for (;;) {
      const [batch] = await tx.query<BatchRow>(UNPLACED, [this.maxBatch]);
      if (batch === undefined) throw new Error('an aggregate has one row');
      // All that this snapshot shows have their place; what it does not show was running, so is at or after its xmin.
      if (batch.count === 0) {
        await tx.query(RESTORED, [batch.xmin]);
        return head.size - Number(row.size);
      }
      head = await write(tx, head, batch);
    }
  }
}

interface SequencerRow {
  readonly epoch: bigint;
  readonly size: bigint;
  readonly chain: Buffer;
  readonly frontier: Buffer;
  readonly last_xid: string;
  readonly last_id: bigint;
  readonly system_id: bigint;
  readonly restored: boolean;
}

/** A batch of events. The lists of ids go back to the database as they came, unread. */
interface BatchRow {
  readonly count: number;
  readonly digests: Buffer;
  readonly xids: string;
  readonly ids: string;
  readonly last_xid: string;
  readonly last_id: bigint;
  readonly xmin: string;
}

function headOf({ size, chain, frontier }: SequencerRow): TrailHead {
  return { size: Number(size), chain, frontier };
}

async function write(tx: Tx, head: TrailHead, batch: BatchRow): Promise<TrailHead> {
  const { leaves, chains, tiles, head: next } = chainBatch(head, batch.digests);
  await tx.query(WRITE, [
    head.size, batch.xids, batch.ids, leaves, chains,
    tiles.levels, tiles.indexes, tiles.hashes,
    next.size, next.chain, next.frontier, batch.last_xid, batch.last_id,
  ]); // prettier-ignore
  return next;
}

/** After a restore, xids of the old cluster are met again as the new one counts up to them: those events have a place. */
const HAS_NO_PLACE =
  '(SELECT false FROM trail_chain AS placed WHERE placed.event_id = event.id) IS NULL';

const BACKLOG = `
SELECT sequencer.epoch, first.at_ms, first.settled
FROM trail_sequencer AS sequencer
LEFT JOIN LATERAL (
  SELECT event.at_ms, event.xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled
  FROM trail_events AS event
  WHERE (event.xid, event.id) > (sequencer.last_xid, sequencer.last_id)
    AND (NOT sequencer.restored OR ${HAS_NO_PLACE})
  ORDER BY event.xid, event.id
  LIMIT 1
) AS first ON true`;

const COLUMNS = 'epoch, size, chain, frontier, last_xid::text, last_id, system_id, restored';

const LOCK_ANY = `
SELECT ${COLUMNS}, (SELECT system_identifier FROM pg_control_system()) AS here FROM trail_sequencer FOR UPDATE`;

const CLAIM = 'UPDATE trail_sequencer SET epoch = $1, system_id = $2';

const LOCK = `SELECT ${COLUMNS} FROM trail_sequencer WHERE epoch = $1 FOR UPDATE`;

const AGGREGATE = `
  count(*)::int AS count,
  coalesce(string_agg(digest, ''::bytea ORDER BY xid, id), '') AS digests,
  array_agg(xid ORDER BY xid, id)::text AS xids,
  array_agg(id ORDER BY xid, id)::text AS ids,
  max(xid)::text AS last_xid,
  (array_agg(id ORDER BY xid DESC, id DESC))[1] AS last_id,
  pg_snapshot_xmin(pg_current_snapshot())::text AS xmin`;

const NEXT = `
SELECT ${AGGREGATE}
FROM (
  SELECT event.xid, event.id, event.digest
  FROM trail_events AS event
  WHERE (event.xid, event.id) > ($1::xid8, $2::bigint)
    AND event.xid < pg_snapshot_xmin(pg_current_snapshot())
    AND (NOT $3::boolean OR ${HAS_NO_PLACE})
  ORDER BY event.xid, event.id
  LIMIT $4
) AS batch`;

const UNPLACED = `
SELECT ${AGGREGATE}
FROM (
  SELECT event.xid, event.id, event.digest
  FROM trail_events AS event
  WHERE NOT EXISTS (SELECT FROM trail_chain AS placed WHERE placed.event_id = event.id)
  ORDER BY event.xid, event.id
  LIMIT $1
) AS batch`;

const RESTORED = `UPDATE trail_sequencer SET restored = true, last_xid = $1::xid8, last_id = 0`;

const WRITE = `
WITH placed AS (
  INSERT INTO trail_chain (place, event_xid, event_id, leaf_hash, chain_hash)
  SELECT $1::bigint + n - 1, xid, id, substr($4::bytea, (n * 32 - 31)::int, 32), substr($5::bytea, (n * 32 - 31)::int, 32)
  FROM unnest($2::xid8[], $3::bigint[]) WITH ORDINALITY AS event (xid, id, n)
), tiles AS (
  INSERT INTO trail_tiles (level, index, hash)
  SELECT level, index, hash FROM unnest($6::smallint[], $7::bigint[], $8::bytea[]) AS tile (level, index, hash)
)
UPDATE trail_sequencer
SET size = $9, chain = $10, frontier = $11, last_xid = $12::xid8, last_id = $13`;
