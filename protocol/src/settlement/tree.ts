import type { Sha256 } from '../crypto.js';
import { emptyLeafHash, MAX_SETTLEMENT_DEPTH, settlementNodeHash } from './leaf.js';

/** How deep a tree of so many indexes is: ceil(log2 n), none for one or none. Throws a RangeError above 2^24. */
export function settlementDepth(count: number): number {
  let depth = 0;
  while (2 ** depth < count) depth += 1;
  if (depth > MAX_SETTLEMENT_DEPTH) throw new RangeError(`${count} indexes do not fit in a tree`);
  return depth;
}

/** The levels of a tree: its leaves first, the root last; and the root of an empty subtree of each height. */
export interface SettlementLevels {
  readonly levels: readonly (readonly Uint8Array[])[];
  readonly empty: readonly Uint8Array[];
}

const HASH = 32;

/** Nodes made between two pauses: some milliseconds. */
const NODES_A_STEP = 4_096;

/** Works out the levels above leaf hashes, with a pause now and then for whoever has other things to do meanwhile. */
export function* settlementLevels(
  leaves: readonly Uint8Array[],
  sha256: Sha256,
): Generator<undefined, SettlementLevels> {
  const empty = [emptyLeafHash(sha256)];
  const levels = [leaves];
  let made = 0;
  for (let height = 0; height < settlementDepth(leaves.length); height += 1) {
    const below = levels[height] ?? [];
    const hollow = empty[height] ?? emptyLeafHash(sha256);
    const level: Uint8Array[] = [];
    // One piece of memory for a level: so many small ones would take far more.
    const nodes = new Uint8Array(Math.ceil(below.length / 2) * HASH);
    for (let at = 0; at < below.length; at += 2) {
      const place = (at / 2) * HASH;
      nodes.set(settlementNodeHash(below[at] ?? hollow, below[at + 1] ?? hollow, sha256), place);
      level.push(nodes.subarray(place, place + HASH));
      made += 1;
      if (made % NODES_A_STEP === 0) yield;
    }
    empty.push(settlementNodeHash(hollow, hollow, sha256));
    levels.push(level);
  }
  return { levels, empty };
}

function atOnce(steps: Generator<undefined, SettlementLevels>): SettlementLevels {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * A tree over leaf hashes in the order of their indexes, full to its depth with empty leaves. Its place in the tree is the index's
 * bits, so one index has one place and one proof.
 */
export class SettlementTree {
  readonly depth: number;
  /** levels[0] are the leaves, levels[depth] the root; what is left out is the root of nothing but empty leaves. */
  private readonly levels: SettlementLevels['levels'];
  /** The root of an empty subtree by its height. */
  private readonly empty: SettlementLevels['empty'];

  /** `made` by `settlementLevels` over the same leaves, or at once. */
  constructor(
    leaves: readonly Uint8Array[],
    sha256: Sha256,
    made: SettlementLevels = atOnce(settlementLevels([...leaves], sha256)),
  ) {
    this.depth = settlementDepth(leaves.length);
    this.levels = made.levels;
    this.empty = made.empty;
  }

  get root(): Uint8Array {
    return this.node(this.depth, 0);
  }

  /** The hash at an index; that of an empty leaf where none was given. */
  leaf(index: number): Uint8Array {
    return this.node(0, index);
  }

  /** The siblings from an index's leaf up to the root: `depth` hashes. Throws a RangeError on an index outside the tree. */
  proof(index: number): Uint8Array[] {
    return this.subtreeProof(index, 0);
  }

  /**
   * The siblings above the subtree of 2^height leaves that begins at `start`: `depth − height` hashes, one proof for all of its leaves.
   * Throws a RangeError unless `start` is a multiple of 2^height inside the tree.
   */
  subtreeProof(start: number, height: number): Uint8Array[] {
    const size = 2 ** height;
    const inside = Number.isInteger(start) && start >= 0 && start + size <= 2 ** this.depth;
    if (!inside || start % size !== 0) {
      throw new RangeError(`no subtree of ${size} leaves begins at ${start}`);
    }
    const siblings: Uint8Array[] = [];
    let at = start / size;
    for (let level = height; level < this.depth; level += 1) {
      siblings.push(this.node(level, at % 2 === 0 ? at + 1 : at - 1));
      at = Math.floor(at / 2);
    }
    return siblings;
  }

  private node(height: number, at: number): Uint8Array {
    const node = this.levels[height]?.[at] ?? this.empty[height];
    if (node === undefined) throw new RangeError(`the tree has no level ${height}`);
    return node;
  }
}

/**
 * The root that a subtree's own root and its siblings lead to; the place of the subtree says on which side each sibling goes. Null when
 * `at` has more bits than there are siblings: such an index is not in the tree. `at` is the index for one leaf, `start / 2^height` else.
 */
export function settlementRootFrom(
  subtree: Uint8Array,
  at: number,
  siblings: readonly Uint8Array[],
  sha256: Sha256,
): Uint8Array | null {
  let node = subtree;
  let place = at;
  for (const sibling of siblings) {
    node =
      place % 2 === 0
        ? settlementNodeHash(node, sibling, sha256)
        : settlementNodeHash(sibling, node, sha256);
    place = Math.floor(place / 2);
  }
  return place === 0 ? node : null;
}
