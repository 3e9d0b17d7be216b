import { Inject, Injectable } from '@nestjs/common';
import {
  cosignatureBytes,
  decodeBase58,
  encodeBase58,
  isSoundPublicKey,
  type CosignatureRequest,
  type VerifySignature,
  type WitnessedCheckpointView,
} from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { VERIFY_SIGNATURE } from '../platform/platform.module.js';
import { CHECKPOINT_COLUMNS, checkpointView, type CheckpointRow } from './checkpoint-rows.js';
import { TrailReader } from './trail.reader.js';

/** Anybody may witness, so what is kept has a limit: so many for one checkpoint, and none for old ones. */
const MAX_WITNESSES = 32;
const MAX_AGE_MS = 24 * 3_600_000;
/** A witness's clock may be off by this much. */
const CLOCK_SKEW_MS = 10 * 60_000;

/** Keeps what third parties sign of checkpoints, and shows it. */
@Injectable()
export class Witnesses {
  constructor(
    private readonly db: Db,
    private readonly reader: TrailReader,
    private readonly clock: Clock,
    @Inject(VERIFY_SIGNATURE) private readonly verify: VerifySignature,
  ) {}

  /** Keeps a cosignature; the same witness twice is once. @throws ProblemError NOT_FOUND, WITNESS_REFUSED, CONFLICT */
  async add(asked: CosignatureRequest): Promise<WitnessedCheckpointView> {
    const { size, publicKey, signature } = asked;
    const checkpoint = await this.reader.checkpoint(size);
    if (checkpoint === null) {
      throw new ProblemError('NOT_FOUND', `No checkpoint of size ${size} was signed.`);
    }
    const atMs = Date.parse(asked.at);
    const nowMs = this.clock.nowMs();
    if (nowMs - Date.parse(checkpoint.at) > MAX_AGE_MS || Math.abs(atMs - nowMs) > CLOCK_SKEW_MS) {
      const detail = 'Checkpoints are witnessed on their day, at the time by your clock and ours.';
      throw new ProblemError('WITNESS_REFUSED', detail);
    }
    const { network, root } = checkpoint;
    const bytes = cosignatureBytes({ network, operator: checkpoint.publicKey, size, root, atMs });
    const [key, signed] = [decodeBase58(publicKey), decodeBase58(signature)];
    const isSigned =
      key !== null && signed !== null && isSoundPublicKey(key) && this.verify(key, bytes, signed);
    if (!isSigned) {
      const detail = `The signature is not that of ${publicKey} over the checkpoint of size ${size}.`;
      throw new ProblemError('WITNESS_REFUSED', detail);
    }
    await this.db.query(KEEP, [size, Buffer.from(key), atMs, Buffer.from(signed), MAX_WITNESSES]);
    const [kept] = await this.list(size + 1, 1);
    const isKept = kept?.size === size && kept.witnesses.some((one) => one.publicKey === publicKey);
    if (!isKept) {
      const detail = `${MAX_WITNESSES} have witnessed the checkpoint of size ${size} already.`;
      throw new ProblemError('CONFLICT', detail);
    }
    return kept;
  }

  /** Checkpoints below a size, the largest first, with their witnesses; or those that one witness signed. */
  async list(
    before: number | null,
    limit: number,
    witness: string | null = null,
  ): Promise<WitnessedCheckpointView[]> {
    const key = witness === null ? null : Buffer.from(decodeBase58(witness) ?? []);
    const rows = await this.db.query<WitnessedRow>(LIST, [before, limit, key]);
    return rows.map(({ witnesses, ...checkpoint }) => ({
      ...checkpointView(checkpoint),
      witnesses: witnesses.map(({ publicKey, atMs, signature }) => ({
        publicKey: base58(publicKey),
        at: new Date(atMs).toISOString(),
        signature: base58(signature),
      })),
    }));
  }
}

interface WitnessedRow extends CheckpointRow {
  readonly witnesses: { publicKey: string; atMs: number; signature: string }[];
}

const base58 = (hex: string): string => encodeBase58(Buffer.from(hex, 'hex'));

const KEEP = `
INSERT INTO trail_witnesses (size, public_key, at_ms, signature)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM trail_witnesses WHERE size = $1) < $5
ON CONFLICT DO NOTHING`;

const LIST = `
SELECT ${CHECKPOINT_COLUMNS}, coalesce((
  SELECT json_agg(json_build_object('publicKey', encode(public_key, 'hex'), 'atMs', at_ms, 'signature', encode(signature, 'hex')) ORDER BY public_key)
  FROM trail_witnesses WHERE trail_witnesses.size = trail_checkpoints.size
), '[]'::json) AS witnesses
FROM trail_checkpoints
WHERE ($1::bigint IS NULL OR size < $1)
  AND ($3::bytea IS NULL OR EXISTS (SELECT FROM trail_witnesses AS seen WHERE seen.size = trail_checkpoints.size AND seen.public_key = $3))
ORDER BY size DESC LIMIT $2`;
