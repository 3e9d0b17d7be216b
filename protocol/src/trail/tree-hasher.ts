import type { Sha256 } from '../crypto.js';
import { nodeHash } from '../merkle.js';

/** A perfect subtree: the root of the 2^level leaves from index × 2^level on. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/**
 * A growing RFC 6962 tree that remembers only the roots of its perfect subtrees, one for each bit set in its size: appending is
 * one node hash on average, and the root is there at any time.
 */
export class TreeHasher {
  /** Roots of the perfect subtrees, the largest first. */
  readonly #roots: Uint8Array[];
  #size: number;

  /** Goes on from a size and its `frontier()`, or starts empty. */
  constructor(
    private readonly sha256: Sha256,
    size = 0,
    frontier: readonly Uint8Array[] = [],
  ) {
    if (frontier.length !== bitsSet(size)) {
      throw new RangeError(`a tree of ${size} leaves has no frontier of ${frontier.length} hashes`);
    }
    this.#size = size;
    this.#roots = [...frontier];
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf hash and tells of each perfect subtree above it that it completes, from the bottom up. */
  append(leaf: Uint8Array, completed?: (subtree: Subtree) => void): void {
    let hash = leaf;
    let level = 0;
    // Every trailing one bit of the size is a finished left sibling.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = nodeHash(this.#pop(), hash, this.sha256);
      level += 1;
      completed?.({ level, index: (rest - 1) / 2, hash });
    }
    this.#roots.push(hash);
    this.#size += 1;
  }

  /** The root over all leaves so far; of none it is the hash of the empty string. */
  root(): Uint8Array {
    let hash = this.#roots.at(-1);
    if (hash === undefined) return this.sha256(new Uint8Array());
    for (const left of this.#roots.slice(0, -1).reverse()) {
      hash = nodeHash(left, hash, this.sha256);
    }
    return hash;
  }

  /** The roots of the perfect subtrees, the largest first: with the size, all there is to go on from. */
  frontier(): readonly Uint8Array[] {
    return [...this.#roots];
  }

  #pop(): Uint8Array {
    const root = this.#roots.pop();
    // One root stands for each bit of the size, so there is one for each trailing one bit.
    if (root === undefined) throw new RangeError('the frontier does not fit the size');
    return root;
  }
}

function bitsSet(n: number): number {
  let count = 0;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
