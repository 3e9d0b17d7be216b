import { Inject, Injectable } from '@nestjs/common';
import {
  decodeBase58,
  epochObjectionBytes,
  rootStatementBytes,
  type AttestationRequest,
  type ObjectionRequest,
  type RootStatement,
  type VerifySignature,
} from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Db, type Tx } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { VERIFY_SIGNATURE } from '../platform/platform.module.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { statementOf, type EpochRow } from './epoch-rows.js';

/** Keeps what co-signers say of sealed epochs, each once for an epoch. */
@Injectable()
export class Attestations {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly trail: TrailWriter,
    private readonly wakeups: Wakeups,
    @Inject(VERIFY_SIGNATURE) private readonly verify: VerifySignature,
  ) {}

  /** The co-signer has worked out the same statement. @throws ProblemError NOT_FOUND, COSIGNER_REFUSED, CONFLICT */
  attest(number: number, { cosigner, signature }: AttestationRequest): Promise<void> {
    return this.keep(number, cosigner, signature, rootStatementBytes, async (tx, key, signed) => {
      const isNew = await tx.query(ATTEST, [number, key, signed]);
      if (isNew.length === 0) return;
      await this.trail.append(tx, [
        { kind: 'epoch.attested', subject: String(number), body: { epoch: number, cosigner } },
      ]);
      await this.wakeups.notify(tx, 'epochs');
    });
  }

  /** The co-signer has not. @throws ProblemError NOT_FOUND, COSIGNER_REFUSED, CONFLICT */
  object(number: number, { cosigner, reason, signature }: ObjectionRequest): Promise<void> {
    const bytesOf = (statement: RootStatement) => epochObjectionBytes(statement, reason);
    return this.keep(number, cosigner, signature, bytesOf, async (tx, key, signed) => {
      const isNew = await tx.query(OBJECT, [number, key, signed, reason]);
      if (isNew.length === 0) return;
      await this.trail.append(tx, [
        {
          kind: 'epoch.objected',
          subject: String(number),
          body: { epoch: number, cosigner, reason },
        },
      ]);
    });
  }

  private async keep(
    number: number,
    cosigner: string,
    signature: string,
    bytesOf: (statement: RootStatement) => Uint8Array,
    write: (tx: Tx, key: Buffer, signed: Buffer) => Promise<void>,
  ): Promise<void> {
    await this.db.transaction(async (tx) => {
      // Shared, so that co-signers do not wait for each other; the epoch does not move on meanwhile.
      const [row] = await tx.query<EpochRow>('SELECT * FROM epochs WHERE number = $1 FOR SHARE', [
        number,
      ]);
      const statement = row === undefined ? null : statementOf(row);
      if (row === undefined || statement === null)
        throw new ProblemError('NOT_FOUND', `No epoch ${number} is sealed.`);
      const isNamed = this.config.settlement?.cosigners.includes(cosigner) ?? false;
      const [key, signed] = [decodeBase58(cosigner), decodeBase58(signature)];
      if (!isNamed || key === null)
        throw new ProblemError('COSIGNER_REFUSED', `${cosigner} is not a co-signer here.`);
      if (signed === null || !this.verify(key, bytesOf(statement), signed)) {
        const detail = `The signature is not that of ${cosigner} over epoch ${number}.`;
        throw new ProblemError('COSIGNER_REFUSED', detail);
      }
      if (row.state === 'final' || row.state === 'voided')
        throw new ProblemError('CONFLICT', `Epoch ${number} is ${row.state} already.`);
      await write(tx, Buffer.from(key), Buffer.from(signed));
    });
  }
}

const ATTEST = `
INSERT INTO epoch_attestations (epoch, cosigner, signature) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING epoch`;
const OBJECT = `
INSERT INTO epoch_objections (epoch, cosigner, signature, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING epoch`;
