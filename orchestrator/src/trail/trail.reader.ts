import { Injectable } from '@nestjs/common';
import {
  bytesToHex,
  consistencyProof,
  inclusionProof,
  rootOf,
  subtreesOf,
  type CheckpointView,
  type ConsistencyProofView,
  type InclusionProofView,
  type SubtreeRoot,
  type TrailEventView,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { Db } from '../platform/db/db.js';
import {
  CHECKPOINT_COLUMNS,
  checkpointView,
  timeText,
  type CheckpointRow,
} from './checkpoint-rows.js';
import { loadSubtrees } from './subtrees.js';

/** Places one search looks at: some tens of milliseconds, whatever is looked for. */
const MAX_SEARCHED = 10_000;

interface TrailSearch {
  readonly from: number;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly kind?: string | undefined;
  readonly subject?: string | undefined;
}

/** The trail for whoever wants to check it: events, checkpoints and proofs. Everything in it is public. */
@Injectable()
export class TrailReader {
  constructor(private readonly db: Db) {}

  /** Events from a place on, in order of place. */
  async list(from: number, limit: number): Promise<TrailEventView[]> {
    const rows = await this.db.query<EventRow>(
      `${EVENTS} WHERE placed.place >= $1 ORDER BY placed.place LIMIT $2`,
      [from, limit],
    );
    return rows.map(eventView);
  }

  /**
   * Events from a place on, below `to`, of a kind or about a subject, in order of place. One call looks at so many places at most:
   * `next` is where the following one goes on, also when nothing was found, and null at the end.
   */
  async search({
    from,
    to = Infinity,
    limit,
    kind,
    subject,
  }: TrailSearch): Promise<{ items: TrailEventView[]; next: number | null }> {
    const end = Math.min(to, await this.size());
    const until = Math.min(end, from + MAX_SEARCHED);
    const rows = await this.db.query<EventRow>(
      `${EVENTS} WHERE placed.place >= $1 AND placed.place < $2 AND ($3::text IS NULL OR event.kind = $3)
       AND ($4::text IS NULL OR event.subject = $4) ORDER BY placed.place LIMIT $5`,
      [from, until, kind ?? null, subject ?? null, limit],
    );
    const last = rows.length === limit ? Number(rows.at(-1)?.place) + 1 : until;
    return { items: rows.map(eventView), next: last < end ? last : null };
  }

  /** The event at a place, or null when the place is not given yet. */
  async event(place: number): Promise<TrailEventView | null> {
    const [row] = await this.db.query<EventRow>(`${EVENTS} WHERE placed.place = $1`, [place]);
    return row === undefined ? null : eventView(row);
  }

  /** The newest checkpoint, or the one of a size; null when there is none. */
  async checkpoint(size?: number): Promise<CheckpointView | null> {
    const [row] = await this.db.query<CheckpointRow>(CHECKPOINT, [size ?? null]);
    return row === undefined ? null : checkpointView(row);
  }

  /** Proof that the event at `place` is in the tree of `size`; null when the trail is not that long. */
  async inclusion(place: number, size: number): Promise<InclusionProofView | null> {
    if (place >= size || size > (await this.size())) return null;
    const subtreeRoot = await this.load((root, sha256) => [
      root(0, place),
      rootOf(size, root, sha256),
      inclusionProof(place, size, root, sha256),
    ]);
    const path = inclusionProof(place, size, subtreeRoot, nodeSha256);
    const root = rootOf(size, subtreeRoot, nodeSha256);
    return {
      place,
      size,
      leaf: bytesToHex(subtreeRoot(0, place)),
      path: path.map(bytesToHex),
      root: bytesToHex(root),
    };
  }

  /** Proof that the tree of `to` continues the one of `from`; null when the trail is not that long. */
  async consistency(from: number, to: number): Promise<ConsistencyProofView | null> {
    if (from > to || to > (await this.size())) return null;
    const subtreeRoot = await this.load((root, sha256) => [
      rootOf(from, root, sha256),
      rootOf(to, root, sha256),
      consistencyProof(from, to, root, sha256),
    ]);
    const path = consistencyProof(from, to, subtreeRoot, nodeSha256);
    return {
      from,
      to,
      path: path.map(bytesToHex),
      fromRoot: bytesToHex(rootOf(from, subtreeRoot, nodeSha256)),
      toRoot: bytesToHex(rootOf(to, subtreeRoot, nodeSha256)),
    };
  }

  private async size(): Promise<number> {
    const [row] = await this.db.query<{ size: bigint }>('SELECT size FROM trail_sequencer');
    return Number(row?.size ?? 0n);
  }

  private load(compute: Parameters<typeof subtreesOf>[0]): Promise<SubtreeRoot> {
    return loadSubtrees(this.db, subtreesOf(compute));
  }
}

interface EventRow {
  readonly place: bigint;
  readonly chain_hash: Buffer;
  readonly id: bigint;
  readonly at_ms: bigint;
  readonly kind: string;
  readonly subject: string;
  readonly body: string;
  readonly digest: Buffer;
}

const EVENTS = `
SELECT placed.place, placed.chain_hash, event.id, event.at_ms, event.kind, event.subject, event.body, event.digest
FROM trail_chain AS placed
JOIN trail_events AS event ON event.xid = placed.event_xid AND event.id = placed.event_id`;

function eventView(row: EventRow): TrailEventView {
  return {
    id: String(row.id),
    place: Number(row.place),
    at: timeText(row.at_ms),
    kind: row.kind,
    subject: row.subject,
    body: row.body,
    digest: bytesToHex(row.digest),
    chain: bytesToHex(row.chain_hash),
  };
}

const CHECKPOINT = `
SELECT ${CHECKPOINT_COLUMNS} FROM trail_checkpoints
WHERE $1::bigint IS NULL OR size = $1
ORDER BY size DESC
LIMIT 1`;
