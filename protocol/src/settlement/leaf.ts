import type { Sha256 } from '../crypto.js';
import { LayoutWriter } from './layout.js';

/** First bytes of what is hashed: a leaf of one tree never passes for one of the other, nor a node for a leaf. */
const TAG = { worker: 0x00, submitter: 0x01, node: 0x02, empty: 0x03 } as const;

const HASH = 32;

/** The largest tree that a root may commit to: 2^24 workers. */
export const MAX_SETTLEMENT_DEPTH = 24;

/** What a worker's index has come to since the beginning, in base units. */
export interface WorkerLeaf {
  /** Given once and for good; the payee may change from one root to the next. */
  readonly index: number;
  /** The wallet that is paid, 32 bytes. */
  readonly payee: Uint8Array;
  readonly lifetimeEarned: bigint;
  readonly lifetimeSlashed: bigint;
}

/** What a submitter's index has come to since the beginning, in base units. */
export interface SubmitterLeaf {
  readonly index: number;
  /** The wallet that deposited, 32 bytes. */
  readonly submitter: Uint8Array;
  readonly lifetimeSpent: bigint;
  readonly lifetimeRefunded: bigint;
  /** Set aside for accepted jobs when the epoch was sealed: it cannot be withdrawn. */
  readonly held: bigint;
}

/** `0x00 ‖ network ‖ index ‖ payee ‖ earned ‖ slashed`, 85 bytes. Throws a RangeError on a field that does not fit. */
export function workerLeafBytes(network: Uint8Array, leaf: WorkerLeaf): Uint8Array {
  return new LayoutWriter()
    .u8(TAG.worker)
    .bytes(network, 32)
    .u32(leaf.index)
    .bytes(leaf.payee, 32)
    .u64(leaf.lifetimeEarned)
    .u64(leaf.lifetimeSlashed)
    .finish();
}

/** `0x01 ‖ network ‖ index ‖ submitter ‖ spent ‖ refunded ‖ held`, 93 bytes. Throws a RangeError on a field that does not fit. */
export function submitterLeafBytes(network: Uint8Array, leaf: SubmitterLeaf): Uint8Array {
  return new LayoutWriter()
    .u8(TAG.submitter)
    .bytes(network, 32)
    .u32(leaf.index)
    .bytes(leaf.submitter, 32)
    .u64(leaf.lifetimeSpent)
    .u64(leaf.lifetimeRefunded)
    .u64(leaf.held)
    .finish();
}

/** `SHA-256(0x02 ‖ left ‖ right)`. */
export function settlementNodeHash(
  left: Uint8Array,
  right: Uint8Array,
  sha256: Sha256,
): Uint8Array {
  if (left.length !== HASH || right.length !== HASH) throw new RangeError('a hash has 32 bytes');
  // A tree has as many nodes as leaves, so they are laid out by hand.
  const node = new Uint8Array(1 + 2 * HASH);
  node[0] = TAG.node;
  node.set(left, 1);
  node.set(right, 1 + HASH);
  return sha256(node);
}

/** `SHA-256(0x03)`: stands where an index has not been given yet. */
export const emptyLeafHash = (sha256: Sha256): Uint8Array => sha256(new Uint8Array([TAG.empty]));
