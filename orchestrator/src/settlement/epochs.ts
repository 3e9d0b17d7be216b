import { Injectable } from '@nestjs/common';
import { decodeBase58, type RootStatement } from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Db, type Tx } from '../platform/db/db.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { statementOf, type EpochRow, type SaidRow } from './epoch-rows.js';

/** A sealed epoch that enough co-signers agree with. */
export interface ToPost {
  readonly number: bigint;
  readonly statement: RootStatement;
  /** Of different co-signers that the operator has named, the first that spoke first. Keys have 32 bytes, signatures 64. */
  readonly attestations: readonly {
    readonly cosigner: Uint8Array;
    readonly signature: Uint8Array;
  }[];
}

/** The road of an epoch from its seal to the chain and, if it is voided there, no further. */
@Injectable()
export class Epochs {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly trail: TrailWriter,
  ) {}

  /** The sealed epoch once as many co-signers as the threshold asks for have attested it; null until then. */
  async toPost(): Promise<ToPost | null> {
    const { settlement } = this.config;
    if (settlement === null) return null;
    const [row] = await this.db.query<EpochRow>(`SELECT * FROM epochs WHERE state = 'sealed'`);
    const statement = row === undefined ? null : statementOf(row);
    if (row === undefined || statement === null) return null;
    const attestations = await this.db.query<Pick<SaidRow, 'cosigner' | 'signature'>>(ATTESTED, [
      row.number,
      settlement.cosigners.map((key) => Buffer.from(decodeBase58(key) ?? [])),
    ]);
    if (attestations.length < settlement.threshold) return null;
    return { number: row.number, statement, attestations };
  }

  /** The epoch's root is on chain and waits for its window to pass. Saying so again changes nothing; so with those below. */
  posted(tx: Tx, number: bigint): Promise<void> {
    return this.move(tx, number, 'posted', POSTED, {});
  }

  /** The epoch's root is the active one on chain: it can be claimed against. */
  final(tx: Tx, number: bigint): Promise<void> {
    return this.move(tx, number, 'final', FINAL, {});
  }

  /** The epoch's root was taken back on chain. What it held is in the next one. */
  voided(tx: Tx, number: bigint, reason: string): Promise<void> {
    return this.move(tx, number, 'voided', VOIDED, { reason }, [reason]);
  }

  /** @throws the check violation `epoch_transition` when the epoch is not in the state before */
  private async move(
    tx: Tx,
    number: bigint,
    to: 'posted' | 'final' | 'voided',
    statement: string,
    why: Readonly<Record<string, string>>,
    values: readonly unknown[] = [],
  ): Promise<void> {
    const moved = await tx.query(statement, [number, ...values]);
    if (moved.length === 0) return;
    await this.trail.append(tx, [
      { kind: `epoch.${to}`, subject: String(number), body: { epoch: Number(number), ...why } },
    ]);
  }
}

const ATTESTED = `
SELECT cosigner, signature FROM epoch_attestations WHERE epoch = $1 AND cosigner = ANY ($2::bytea[]) ORDER BY at, cosigner`;

const POSTED = `
UPDATE epochs SET state = 'posted', posted_at = clock_timestamp() WHERE number = $1 AND state <> 'posted' RETURNING number`;
const FINAL = `
UPDATE epochs SET state = 'final', final_at = clock_timestamp() WHERE number = $1 AND state <> 'final' RETURNING number`;
const VOIDED = `
UPDATE epochs SET state = 'voided', voided_at = clock_timestamp(), void_reason = $2 WHERE number = $1 AND state <> 'voided'
RETURNING number`;
