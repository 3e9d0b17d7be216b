import { Injectable } from '@nestjs/common';
import type { WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import { OwnersStore, type DuePayout, type Owned } from './owners.store.js';

interface OwnedRow {
  readonly public_key: string;
  readonly payout: string;
  readonly payout_next: string | null;
  readonly payout_due_at: Date | null;
  readonly ordered_ms: bigint;
}

@Injectable()
export class PgOwnersStore extends OwnersStore {
  async lock(tx: Tx, id: WorkerId): Promise<Owned | null> {
    const [row] = await tx.query<OwnedRow>(
      `SELECT public_key, payout, payout_next, payout_due_at, ordered_ms FROM workers WHERE id = $1 FOR NO KEY UPDATE`,
      [id],
    );
    if (row === undefined) return null;
    const { payout_next: payout, payout_due_at: at } = row;
    return {
      publicKey: row.public_key,
      payout: row.payout,
      next: payout === null || at === null ? null : { payout, at },
      orderedMs: Number(row.ordered_ms),
    };
  }

  async changePayout(
    tx: Tx,
    id: WorkerId,
    issuedAtMs: number,
    payout: string | null,
    delayMs: number,
  ): Promise<void> {
    await tx.query(
      `UPDATE workers SET ordered_ms = $2, payout_next = $3,
         payout_due_at = CASE WHEN $3::text IS NOT NULL THEN clock_timestamp() + $4 * interval '1 millisecond' END WHERE id = $1`,
      [id, issuedAtMs, payout, delayMs],
    );
  }

  async changeKey(
    tx: Tx,
    id: WorkerId,
    issuedAtMs: number,
    from: string,
    to: string,
  ): Promise<boolean> {
    await tx.query('INSERT INTO retired_worker_keys (public_key, worker_id) VALUES ($1, $2)', [
      from,
      id,
    ]);
    const changed = await tx.query(
      `UPDATE workers SET ordered_ms = $2, public_key = $3, session_id = NULL, revision = revision + 1,
         state = CASE WHEN state = 'suspended' THEN state ELSE 'lost' END WHERE id = $1
         AND NOT EXISTS (SELECT FROM workers WHERE public_key = $3) AND NOT EXISTS (SELECT FROM retired_worker_keys WHERE public_key = $3)
       RETURNING 1`,
      [id, issuedAtMs, to],
    );
    return changed.length > 0;
  }

  payDue(tx: Tx): Promise<readonly DuePayout[]> {
    return tx.query<DuePayout>(
      `UPDATE workers SET payout = payout_next, payout_next = NULL, payout_due_at = NULL
       WHERE payout_due_at <= clock_timestamp() RETURNING id, payout`,
    );
  }
}
