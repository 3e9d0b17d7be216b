import { Injectable } from '@nestjs/common';
import { Db } from '../platform/db/db.js';
import {
  type Ending,
  type PurposeHistory,
  type SignedTransaction,
  TransactionsStore,
} from './transactions.store.js';

@Injectable()
export class PgTransactionsStore extends TransactionsStore {
  constructor(private readonly db: Db) {
    super();
  }

  async add(transaction: SignedTransaction): Promise<boolean> {
    // The statement is run again when its outcome is not known, so finding the very same signature there is success.
    const rows = await this.db.query(ADD, [
      transaction.purpose,
      transaction.signature,
      Buffer.from(transaction.wire),
      transaction.lastValidHeight,
      transaction.microLamports,
    ]);
    return rows.length > 0;
  }

  async live(limit: number): Promise<SignedTransaction[]> {
    const rows = await this.db.query<LiveRow>(LIVE, [limit]);
    return rows.map((row) => ({
      purpose: row.purpose,
      signature: row.signature,
      wire: row.wire,
      lastValidHeight: row.last_valid_height,
      microLamports: Number(row.micro_lamports),
    }));
  }

  async end(signature: string, ending: Ending): Promise<boolean> {
    const rows = await this.db.query(
      `UPDATE chain_transactions SET state = $2, wire = NULL, ended_at = clock_timestamp()
       WHERE signature = $1 AND state = 'signed' RETURNING id`,
      [signature, ending],
    );
    return rows.length > 0;
  }

  async history(purpose: string): Promise<PurposeHistory> {
    const rows = await this.db.query<{ state: string; count: bigint }>(
      'SELECT state, count(*) AS count FROM chain_transactions WHERE purpose = $1 GROUP BY state',
      [purpose],
    );
    const counts = new Map(rows.map(({ state, count }) => [state, Number(count)]));
    return {
      isLive: counts.has('signed'),
      isDone: counts.has('done'),
      failed: counts.get('failed') ?? 0,
      expired: counts.get('expired') ?? 0,
    };
  }
}

interface LiveRow {
  readonly purpose: string;
  readonly signature: string;
  readonly wire: Uint8Array;
  readonly last_valid_height: bigint;
  readonly micro_lamports: bigint;
}

const ADD = `
WITH added AS (
  INSERT INTO chain_transactions (purpose, signature, wire, last_valid_height, micro_lamports) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT DO NOTHING RETURNING id
)
SELECT id FROM added UNION ALL SELECT id FROM chain_transactions WHERE signature = $2 AND state = 'signed'`;

const LIVE = `
SELECT purpose, signature, wire, last_valid_height, micro_lamports FROM chain_transactions WHERE state = 'signed' ORDER BY id LIMIT $1`;
