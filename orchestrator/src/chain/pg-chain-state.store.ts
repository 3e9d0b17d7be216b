import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/db/db.js';
import { type ChainState, ChainStateStore, type Cursor } from './chain-state.store.js';

@Injectable()
export class PgChainStateStore extends ChainStateStore {
  async state(tx: Tx): Promise<ChainState> {
    const [row] = await tx.query<StateRow>('SELECT * FROM chain_state');
    if (row === undefined) throw new Error('the row of the chain is gone');
    const { cursor_signature: signature, stopped_at: at, stopped_for: why } = row;
    return {
      cursor: signature === null ? null : { signature, slot: row.cursor_slot },
      stopped: at === null || why === null ? null : { at, why },
      reconciledAt: row.reconciled_at,
      reconciledSlot: row.reconciled_slot,
    };
  }

  async lock(tx: Tx): Promise<void> {
    await tx.query('SELECT FROM chain_state FOR UPDATE');
  }

  async advance(tx: Tx, from: Cursor | null, to: Cursor): Promise<boolean> {
    const moved = await tx.query(
      `UPDATE chain_state SET cursor_signature = $2, cursor_slot = $3
       WHERE cursor_signature IS NOT DISTINCT FROM $1 RETURNING id`,
      [from?.signature ?? null, to.signature, to.slot],
    );
    return moved.length > 0;
  }

  async reconciled(tx: Tx, slot: bigint): Promise<void> {
    await tx.query(
      'UPDATE chain_state SET reconciled_at = clock_timestamp(), reconciled_slot = $1',
      [slot],
    );
  }

  async stop(tx: Tx, why: string): Promise<boolean> {
    const stopped = await tx.query(
      `UPDATE chain_state SET stopped_at = clock_timestamp(), stopped_for = $1 WHERE stopped_at IS NULL RETURNING id`,
      [why],
    );
    return stopped.length > 0;
  }

  async resume(tx: Tx): Promise<boolean> {
    const resumed = await tx.query(
      'UPDATE chain_state SET stopped_at = NULL, stopped_for = NULL WHERE stopped_at IS NOT NULL RETURNING id',
    );
    return resumed.length > 0;
  }

  async paid(tx: Tx, indexes: readonly number[]): Promise<Map<number, bigint>> {
    const rows = await tx.query<{ index: number; paid: bigint }>(
      'SELECT index, paid FROM chain_paid WHERE index = ANY ($1::integer[])',
      [indexes],
    );
    return new Map(rows.map(({ index, paid }) => [index, paid]));
  }

  async setPaid(tx: Tx, paid: ReadonlyMap<number, bigint>): Promise<void> {
    await tx.query(
      `INSERT INTO chain_paid (index, paid) SELECT * FROM unnest($1::integer[], $2::bigint[])
       ON CONFLICT (index) DO UPDATE SET paid = excluded.paid`,
      [[...paid.keys()], [...paid.values()]],
    );
  }
}

interface StateRow {
  readonly cursor_signature: string | null;
  readonly cursor_slot: bigint;
  readonly reconciled_at: Date | null;
  readonly reconciled_slot: bigint | null;
  readonly stopped_at: Date | null;
  readonly stopped_for: string | null;
}
