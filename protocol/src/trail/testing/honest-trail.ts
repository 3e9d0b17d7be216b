import { bytesToHex, utf8ToBytes } from '../../crypto.js';
import { leafHash } from '../../merkle.js';
import { chainHash, CHAIN_START } from '../chain.js';
import {
  checkpointBytes,
  type SignedTrailCheckpoint,
  type TrailCheckpoint,
} from '../checkpoint.js';
import { trailDigest, type DigestedEvent } from '../event.js';
import { TreeHasher } from '../tree-hasher.js';
import type { PlacedEvent } from '../verifier.js';
import { nodeSha256 } from '../../../node/node-crypto.js';
import type { TestKey } from './test-key.js';

export const NETWORK = 'vectors';

/** What an operator shows: its events, and what it signed of them. */
export interface ShownTrail {
  readonly events: readonly PlacedEvent[];
  readonly checkpoints: readonly SignedTrailCheckpoint[];
}

/** Events that differ from each other in everything. */
export function somethingHappened(count: number, seed = ''): DigestedEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: ['job.accepted', 'task.placed', 'receipt.taken', 'verdict.given'][i % 4] ?? '',
    subject: `job_${seed}${i}`,
    atMs: 1_764_000_000_000 + i * 37,
    body: `{"i":${i},"seed":"${seed}","price":"${i * 1_000}"}`,
  }));
}

/** The trail that these events make, digested and chained in their order. */
export function placed(events: readonly DigestedEvent[]): PlacedEvent[] {
  let chain = CHAIN_START;
  return events.map(({ kind, subject, atMs, body }, place) => {
    const digest = trailDigest({ kind, subject, atMs, body }, nodeSha256);
    chain = chainHash(chain, leafHash(digest, nodeSha256), nodeSha256);
    return { place, kind, subject, atMs, body, digest, chain };
  });
}

/** Checkpoints of these sizes, signed by a key. */
export function signed(
  events: readonly PlacedEvent[],
  sizes: readonly number[],
  key: TestKey,
): SignedTrailCheckpoint[] {
  const tree = new TreeHasher(nodeSha256);
  const checkpoints: SignedTrailCheckpoint[] = [];
  for (const { digest, chain, atMs } of events) {
    tree.append(leafHash(digest, nodeSha256));
    if (!sizes.includes(tree.size)) continue;
    const root = bytesToHex(tree.root());
    checkpoints.push(
      signCheckpoint(
        { network: NETWORK, size: tree.size, root, chain: bytesToHex(chain), atMs },
        key,
      ),
    );
  }
  return checkpoints;
}

export function signCheckpoint(checkpoint: TrailCheckpoint, key: TestKey): SignedTrailCheckpoint {
  return {
    ...checkpoint,
    publicKey: key.publicKey,
    signature: key.sign(checkpointBytes(checkpoint)),
  };
}

/** Any 32 bytes that nothing else hashes to. */
export function strangeHash(seed: number): Uint8Array {
  return nodeSha256(utf8ToBytes(`strange ${seed}`));
}
