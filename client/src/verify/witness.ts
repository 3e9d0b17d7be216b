import {
  checkpointBytes,
  cosignatureBytes,
  decodeBase58,
  encodeBase58,
  hexToBytes,
  verifyConsistency,
  type CheckpointView,
  type ConsistencyProofView,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier, type Signer } from '@tidemill/protocol/node';
import type { Cosignature } from '../sdk/types.js';

/**
 * Why a witness does not sign.
 * - `KEY`: another key than the operator's signed the checkpoint, or it is of another network.
 * - `SIGNATURE`: nobody signed it.
 * - `REWIND`: it is smaller than the last one seen: events were taken back.
 * - `FORK`: it does not continue the last one seen: another history is shown.
 */
export type WitnessRefusalCode = 'KEY' | 'SIGNATURE' | 'REWIND' | 'FORK';

/** What was shown and what was seen before. Two signed checkpoints of one size that differ prove a fork to anybody; the other refusals are a witness's word. */
export class WitnessRefusal extends Error {
  override readonly name = 'WitnessRefusal';

  constructor(
    readonly code: WitnessRefusalCode,
    message: string,
    readonly shown: CheckpointView,
    readonly last: CheckpointView | null,
  ) {
    super(message);
  }
}

/** What a witness knows, and whom it watches. */
export interface Watch {
  /** The newest checkpoint it has seen, from its own memory; null on the first visit. */
  readonly last: CheckpointView | null;
  /** The operator's key in base58; without one, that of `last`, and the one that is shown on the first visit. */
  readonly publicKey?: string | undefined;
  /** Proof that the tree of `to` continues that of `from`, from the network. */
  readonly consistency: (from: number, to: number) => Promise<ConsistencyProofView>;
}

const verify = nodeVerifier();

/** Checks that a checkpoint is the operator's and continues the last one seen. @throws WitnessRefusal */
export async function checkContinues(shown: CheckpointView, watch: Watch): Promise<void> {
  const { last } = watch;
  const refuse = (code: WitnessRefusalCode, why: string): WitnessRefusal =>
    new WitnessRefusal(code, why, shown, last);
  const key = watch.publicKey ?? last?.publicKey ?? shown.publicKey;
  if (shown.publicKey !== key || (last !== null && shown.network !== last.network)) {
    throw refuse('KEY', `it is signed by ${shown.publicKey} of ${shown.network}, not by ${key}`);
  }
  const bytes = checkpointBytes({ ...shown, atMs: Date.parse(shown.at) });
  const signature = decodeBase58(shown.signature) ?? new Uint8Array();
  if (!verify(decodeBase58(key) ?? new Uint8Array(), bytes, signature)) {
    throw refuse('SIGNATURE', `${key} did not sign it`);
  }
  if (last === null) return;
  if (shown.size < last.size) {
    throw refuse('REWIND', `it has ${shown.size} events, there were ${last.size}`);
  }
  if (shown.size === last.size) {
    if (shown.root === last.root && shown.chain === last.chain) return;
    throw refuse('FORK', `two histories of ${shown.size} events are signed`);
  }
  const { path } = await watch.consistency(last.size, shown.size);
  const claim = {
    from: last.size,
    to: shown.size,
    fromRoot: hexToBytes(last.root),
    toRoot: hexToBytes(shown.root),
    path: path.map(hexToBytes),
  };
  if (!verifyConsistency(claim, nodeSha256)) {
    throw refuse('FORK', `its ${shown.size} events do not continue the ${last.size} seen before`);
  }
}

/** The witness's word on a checkpoint that it has checked. */
export function cosign(checkpoint: CheckpointView, witness: Signer, nowMs: number): Cosignature {
  const { network, publicKey: operator, size, root } = checkpoint;
  const bytes = cosignatureBytes({ network, operator, size, root, atMs: nowMs });
  return {
    size,
    publicKey: witness.address,
    at: new Date(nowMs).toISOString(),
    signature: encodeBase58(witness.sign(bytes)),
  };
}

/** Whether the witness with this key signed this checkpoint. */
export function isCosigned(
  checkpoint: CheckpointView,
  { publicKey, at, signature }: Omit<Cosignature, 'size'>,
): boolean {
  const { network, publicKey: operator, size, root } = checkpoint;
  const bytes = cosignatureBytes({ network, operator, size, root, atMs: Date.parse(at) });
  const [key, signed] = [decodeBase58(publicKey), decodeBase58(signature)];
  return key !== null && signed !== null && verify(key, bytes, signed);
}
