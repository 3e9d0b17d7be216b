import type { Sha256 } from './crypto.js';

/** RFC 6962 section 2.1: leaves and nodes are hashed with different first bytes, so neither passes for the other. */
const LEAF = 0x00;
const NODE = 0x01;

/** `SHA-256(0x00 ‖ entry)`. */
export function leafHash(entry: Uint8Array, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(1 + entry.length);
  bytes[0] = LEAF;
  bytes.set(entry, 1);
  return sha256(bytes);
}

/** `SHA-256(0x01 ‖ left ‖ right)`. */
export function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(1 + left.length + right.length);
  bytes[0] = NODE;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.length);
  return sha256(bytes);
}

/** The Merkle tree hash of leaf hashes in order (RFC 6962); of nothing it is the hash of the empty string. */
export function merkleRoot(leaves: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256(new Uint8Array());
  if (leaves.length === 1) return first;
  const split = largestPowerOfTwoBelow(leaves.length);
  return nodeHash(
    merkleRoot(leaves.slice(0, split), sha256),
    merkleRoot(leaves.slice(split), sha256),
    sha256,
  );
}

/** The largest power of two strictly below n, for n > 1: where RFC 6962 splits a tree. */
export function largestPowerOfTwoBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** The root over leaf hashes in order, and each leaf's audit path from the bottom up: one walk serves a whole batch. */
export function merklePaths(
  leaves: readonly Uint8Array[],
  sha256: Sha256,
): { readonly root: Uint8Array; readonly paths: readonly (readonly Uint8Array[])[] } {
  const paths: Uint8Array[][] = leaves.map(() => []);
  const walk = (from: number, to: number): Uint8Array => {
    const [leaf] = leaves.slice(from, from + 1);
    if (leaf === undefined) return sha256(new Uint8Array());
    if (to - from === 1) return leaf;
    const middle = from + largestPowerOfTwoBelow(to - from);
    const left = walk(from, middle);
    const right = walk(middle, to);
    for (let i = from; i < to; i += 1) paths[i]?.push(i < middle ? right : left);
    return nodeHash(left, right, sha256);
  };
  return { root: walk(0, leaves.length), paths };
}
