import { Injectable } from '@nestjs/common';
import { isTrailName, trailDigest, type Canonical } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { Clock } from '../platform/clock.js';
import type { Tx } from '../platform/db/db.js';

/** What a stage says of a change. Never a secret or a payload: the trail is public and is kept for ever. */
export interface TrailEvent {
  /** What happened, such as `job.accepted`; printable ASCII. */
  readonly kind: string;
  /** What it happened to: an id; printable ASCII. */
  readonly subject: string;
  /** Why and with what; a string is JSON text already and is kept as it stands. */
  readonly body: { readonly [key: string]: Canonical | undefined } | string;
}

/** Events as columns, for a stage that inserts them inside a larger statement: `unnest` them into trail_events. */
export interface TrailRows {
  readonly atMs: number;
  readonly kinds: string[];
  readonly subjects: string[];
  readonly bodies: string[];
  /** For a `bytea[]` parameter. */
  readonly digests: Buffer[];
}

/** Spells and digests events. @throws TypeError for a kind or subject that is not a trail name: a bug of the writing stage */
export function trailRows(events: readonly TrailEvent[], atMs: number): TrailRows {
  const rows: TrailRows = { atMs, kinds: [], subjects: [], bodies: [], digests: [] };
  for (const { kind, subject, body } of events) {
    if (!isTrailName(kind) || !isTrailName(subject)) {
      throw new TypeError(
        `not a trail event: kind ${JSON.stringify(kind)}, subject ${JSON.stringify(subject)}`,
      );
    }
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    rows.kinds.push(kind);
    rows.subjects.push(subject);
    rows.bodies.push(text);
    rows.digests.push(Buffer.from(trailDigest({ kind, subject, atMs, body: text }, nodeSha256)));
  }
  return rows;
}

/** Writes events in the transaction of the change they explain; the sequencer gives them their place within a second. */
@Injectable()
export abstract class TrailWriter {
  constructor(private readonly clock: Clock) {}

  /** One insert for all events, in their order. They exist if and only if `tx` commits. */
  async append(tx: Tx, events: readonly TrailEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.insert(tx, trailRows(events, this.clock.nowMs()));
  }

  protected abstract insert(tx: Tx, rows: TrailRows): Promise<void>;
}
