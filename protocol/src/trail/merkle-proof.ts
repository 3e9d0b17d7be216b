import type { Sha256 } from '../crypto.js';
import { largestPowerOfTwoBelow, merkleRoot, nodeHash } from '../merkle.js';

/** Gives the root of the perfect subtree over the 2^level leaves from index × 2^level on; level 0 gives the leaf hash. */
export type SubtreeRoot = (level: number, index: number) => Uint8Array;

/** The audit path of a leaf in the tree of the first `size` leaves, from the bottom up (RFC 6962 section 2.1.1). */
export function inclusionProof(
  index: number,
  size: number,
  subtreeRoot: SubtreeRoot,
  sha256: Sha256,
): Uint8Array[] {
  assertCounts(size, index);
  if (index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const path: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + largestPowerOfTwoBelow(end - start);
    if (index < middle) {
      path.push(rangeRoot(middle, end, subtreeRoot, sha256));
      end = middle;
    } else {
      path.push(rangeRoot(start, middle, subtreeRoot, sha256));
      start = middle;
    }
  }
  return path.reverse();
}

/** Proof that the tree of `to` leaves continues the one of `from`, 0 ≤ from ≤ to; empty for from 0 or to (RFC 6962 2.1.2). */
export function consistencyProof(
  from: number,
  to: number,
  subtreeRoot: SubtreeRoot,
  sha256: Sha256,
): Uint8Array[] {
  assertCounts(from, to);
  if (from > to) throw new RangeError(`a tree of ${to} does not continue one of ${from}`);
  if (from === 0 || from === to) return [];
  const path: Uint8Array[] = [];
  let start = 0;
  let end = to;
  while (end !== from) {
    const middle = start + largestPowerOfTwoBelow(end - start);
    if (from <= middle) {
      path.push(rangeRoot(middle, end, subtreeRoot, sha256));
      end = middle;
    } else {
      path.push(rangeRoot(start, middle, subtreeRoot, sha256));
      start = middle;
    }
  }
  // The last range ends where the old tree ends. It is the old tree itself only when it starts at 0: that root is known.
  if (start > 0) path.push(rangeRoot(start, end, subtreeRoot, sha256));
  return path.reverse();
}

/** The root over the first `size` leaves, out of perfect subtrees. */
export function rootOf(size: number, subtreeRoot: SubtreeRoot, sha256: Sha256): Uint8Array {
  assertCounts(size);
  return size === 0 ? sha256(new Uint8Array()) : rangeRoot(0, size, subtreeRoot, sha256);
}

/** What a proof computation reads: run it with a recorder, load these, run it again with what was loaded. */
export function subtreesOf(
  compute: (subtreeRoot: SubtreeRoot, sha256: Sha256) => unknown,
): { readonly level: number; readonly index: number }[] {
  const nothing = new Uint8Array();
  const asked = new Map<string, { level: number; index: number }>();
  compute(
    (level, index) => {
      asked.set(`${level}/${index}`, { level, index });
      return nothing;
    },
    () => nothing,
  );
  return [...asked.values()];
}

/** Whether the leaf hash stands at the index of the tree with this size and root. Never throws (RFC 9162 section 2.1.3.2). */
export function verifyInclusion(
  claim: {
    readonly leaf: Uint8Array;
    readonly index: number;
    readonly size: number;
    readonly root: Uint8Array;
    readonly path: readonly Uint8Array[];
  },
  sha256: Sha256,
): boolean {
  const root = rootByPath(claim, sha256);
  return root !== null && areEqual(root, claim.root);
}

/**
 * The root that a leaf and its audit path lead to, where only the root's signature is known; null when no tree of this size has
 * such a path. Never throws.
 */
export function rootByPath(
  claim: {
    readonly leaf: Uint8Array;
    readonly index: number;
    readonly size: number;
    readonly path: readonly Uint8Array[];
  },
  sha256: Sha256,
): Uint8Array | null {
  const { leaf, index, size, path } = claim;
  if (!areCounts(index, size) || index >= size || !areHashes([leaf, ...path])) return null;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return null;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash, sha256);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling, sha256);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 ? hash : null;
}

/** Whether the larger tree continues the smaller one. Never throws (RFC 9162 section 2.1.4.2). */
export function verifyConsistency(
  claim: {
    readonly from: number;
    readonly to: number;
    readonly fromRoot: Uint8Array;
    readonly toRoot: Uint8Array;
    readonly path: readonly Uint8Array[];
  },
  sha256: Sha256,
): boolean {
  const { from, to, fromRoot, toRoot, path } = claim;
  if (!areCounts(from, to) || from > to || !areHashes([fromRoot, toRoot, ...path])) return false;
  if (from === to) return path.length === 0 && areEqual(fromRoot, toRoot);
  if (from === 0) return path.length === 0 && areEqual(fromRoot, merkleRoot([], sha256));
  return continues(from, to, fromRoot, toRoot, path, sha256);
}

function continues(
  from: number,
  to: number,
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
  path: readonly Uint8Array[],
  sha256: Sha256,
): boolean {
  // A power of two is a subtree of the larger tree as it stands, so its root is the first hash.
  const [first, ...rest] = isPowerOfTwo(from) ? [fromRoot, ...path] : path;
  if (first === undefined) return false;
  let node = from - 1;
  let last = to - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  let older = first;
  let newer = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = nodeHash(sibling, older, sha256);
      newer = nodeHash(sibling, newer, sha256);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = half(last);
      }
    } else {
      newer = nodeHash(newer, sibling, sha256);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && areEqual(older, fromRoot) && areEqual(newer, toRoot);
}

/** The root over leaves [start, end), whose left part is a perfect subtree at every split. */
function rangeRoot(
  start: number,
  end: number,
  subtreeRoot: SubtreeRoot,
  sha256: Sha256,
): Uint8Array {
  const count = end - start;
  if (isPowerOfTwo(count)) return subtreeRoot(Math.round(Math.log2(count)), start / count);
  const middle = start + largestPowerOfTwoBelow(count);
  return nodeHash(
    rangeRoot(start, middle, subtreeRoot, sha256),
    rangeRoot(middle, end, subtreeRoot, sha256),
    sha256,
  );
}

function isPowerOfTwo(n: number): boolean {
  return n === 1 || (n > 1 && largestPowerOfTwoBelow(n) * 2 === n);
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function areCounts(...counts: readonly number[]): boolean {
  return counts.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function assertCounts(...counts: readonly number[]): void {
  if (!areCounts(...counts)) throw new RangeError(`not tree sizes or places: ${counts.join(', ')}`);
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === 32);
}

/** Whether two hashes are the same bytes; nothing here is secret, so time may tell. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
