import { Injectable } from '@nestjs/common';
import type { AccountId } from '@tidemill/protocol';
import { Db, type Tx } from '../platform/db/db.js';

/** Below which available balance an account wants to be told. The database announces the crossing in its transaction. */
@Injectable()
export class BalanceWarnings {
  constructor(private readonly db: Db) {}

  /** In base units; null: no warning. */
  async of(id: AccountId): Promise<bigint | null> {
    const [row] = await this.db.query<{ warn_below: bigint | null }>(
      `SELECT warn_below FROM ledger_accounts WHERE owner = $1 AND bucket = 'available'`,
      [id],
    );
    return row?.warn_below ?? null;
  }

  /** Told at once when the balance is below it already. */
  async set(id: AccountId, below: bigint | null): Promise<void> {
    await this.db.transaction(async (tx: Tx) => {
      await tx.query(
        `INSERT INTO ledger_accounts (owner, bucket) VALUES ($1, 'available') ON CONFLICT DO NOTHING`,
        [id],
      );
      await tx.query(SET, [id, below]);
    });
  }
}

const SET = `
WITH set AS (
  UPDATE ledger_accounts SET warn_below = $2::bigint WHERE owner = $1 AND bucket = 'available' RETURNING balance
)
SELECT announce($1, 'balance.low', jsonb_build_object('available', balance::text, 'threshold', $2::text)) FROM set WHERE balance < $2::bigint`;
