import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/db/db.js';
import { type EpochRow, statementOf } from '../settlement/epoch-rows.js';
import { type EpochUnderWay, EpochsUnderWay } from './epochs-under-way.js';

@Injectable()
export class PgEpochsUnderWay extends EpochsUnderWay {
  async now(tx: Tx): Promise<EpochUnderWay | null> {
    const [row] = await tx.query<EpochRow>(
      `SELECT * FROM epochs WHERE state IN ('sealed', 'posted')`,
    );
    const statement = row === undefined ? null : statementOf(row);
    if (row === undefined || statement === null) return null;
    return { number: row.number, state: row.state === 'posted' ? 'posted' : 'sealed', statement };
  }

  async lastFinal(tx: Tx): Promise<bigint | null> {
    const [row] = await tx.query<{ number: bigint | null }>(
      `SELECT max(number) AS number FROM epochs WHERE state = 'final'`,
    );
    return row?.number ?? null;
  }
}
