import { checkpointBytes } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import type { Clock } from '../platform/clock.js';
import type { SequencerDb } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { rootOfHead } from './chain-batch.js';

/** While the trail grows, somebody who keeps checkpoints has one of every minute. */
export const CHECKPOINT_EVERY_MS = 60_000;

/** Signs how far the trail is, so that whoever keeps the signature can later prove that something was changed. */
export class Checkpoints {
  constructor(
    private readonly db: SequencerDb,
    private readonly signer: Signer,
    private readonly network: string,
    private readonly clock: Clock,
  ) {}

  /** Signs the present size unless that was done before. Returns the size, or null when there was nothing new. */
  async sign(): Promise<number | null> {
    const [head] = await this.db.query<{ size: bigint; chain: Buffer; frontier: Buffer }>(UNSIGNED);
    if (head === undefined) return null;
    const size = Number(head.size);
    const root = rootOfHead({ size, chain: head.chain, frontier: head.frontier });
    const atMs = this.clock.nowMs();
    const bytes = checkpointBytes({
      network: this.network,
      size,
      root: Buffer.from(root).toString('hex'),
      chain: head.chain.toString('hex'),
      atMs,
    });
    const signature = Buffer.from(this.signer.sign(bytes));
    const publicKey = Buffer.from(this.signer.publicKey);
    faultPoint('trail.checkpoint.before-commit');
    await this.db.query(KEEP, [
      size,
      this.network,
      Buffer.from(root),
      head.chain,
      atMs,
      publicKey,
      signature,
    ]);
    faultPoint('trail.checkpoint.after-commit');
    return size;
  }
}

const UNSIGNED = `
SELECT size, chain, frontier FROM trail_sequencer
WHERE size > coalesce((SELECT max(size) FROM trail_checkpoints), 0)`;

/** Another orchestrator may have signed the same size meanwhile; one signature is enough. */
const KEEP = `
INSERT INTO trail_checkpoints (size, network, root, chain, at_ms, public_key, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (size) DO NOTHING`;
