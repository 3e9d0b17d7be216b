import {
  settlementNodeHash,
  type SettlementTree,
  workerLeafBytes,
  type WorkerLeaf,
} from '@tidemill/protocol';
import { sha256 } from './network.js';
import type { Draws } from './sequence/draws.js';

/** A tree over the workers of a network. */
export interface Grown {
  readonly network: Uint8Array;
  readonly leaves: readonly WorkerLeaf[];
  readonly tree: SettlementTree;
}

/** What somebody shows as a leaf of a root, and is not. */
export interface Forgery {
  /** Null where only a hash is shown. */
  readonly leaf: WorkerLeaf | null;
  readonly hash: Uint8Array;
  readonly place: number;
  readonly proof: readonly Uint8Array[];
}

type Forger = (now: Grown, before: Grown, draws: Draws) => Forgery;

/** Each way to forge, by what is wrong; the root is that of `now`, and `before` is the epoch before, in which every leaf was less. */
export const FORGERS: Readonly<Record<string, Forger>> = {
  'a leaf of the epoch before': (_, before, draws) => {
    const { leaf, proof } = genuine(before, draws);
    return shown(before, leaf, proof);
  },
  'a leaf of now under siblings of before': (now, before, draws) => {
    const { leaf } = genuine(now, draws);
    return shown(now, leaf, before.tree.proof(leaf.index));
  },
  'a leaf of another network': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const { hash, place } = shown({ ...now, network: sha256(now.network) }, leaf, proof);
    return { leaf: null, hash, place, proof };
  },
  'the place of another index': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const index = another(leaf.index, now.leaves.length, draws);
    return { ...shown(now, leaf, proof), place: index };
  },
  'another index with its own siblings': (now, _, draws) => {
    const { leaf } = genuine(now, draws);
    const index = another(leaf.index, now.leaves.length, draws);
    return shown(now, { ...leaf, index }, now.tree.proof(index));
  },
  'an index beyond the tree that ends in the same bits': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const index = leaf.index + 2 ** now.tree.depth * (1 + draws.below(4));
    return { ...shown(now, leaf, proof), leaf: { ...leaf, index }, place: index };
  },
  'an inner node under the siblings above it': (now, _, draws) => {
    const height = 1 + draws.below(now.tree.depth - 1);
    const place = draws.below(Math.floor(now.leaves.length / 2 ** height));
    const proof = now.tree.subtreeProof(place * 2 ** height, height);
    return { leaf: null, hash: innerNode(now.tree, place, height), place, proof };
  },
  'an inner node under as many siblings as a leaf': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const hash = innerNode(now.tree, leaf.index >> 1, 1);
    return { leaf: null, hash, place: leaf.index, proof };
  },
  'a sibling twice': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const at = draws.below(proof.length);
    return shown(now, leaf, [...proof.slice(0, at + 1), ...proof.slice(at)]);
  },
  'a sibling in the place of another': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const [to, from] = [draws.below(proof.length), draws.below(proof.length - 1)];
    const other = proof[from >= to ? from + 1 : from];
    return shown(
      now,
      leaf,
      proof.map((hash, at) => (at === to && other !== undefined ? other : hash)),
    );
  },
  'a leaf as its own sibling': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const { hash } = shown(now, leaf, proof);
    return shown(now, leaf, [hash, ...proof.slice(1)]);
  },
  'siblings that are cut off': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const length = draws.below(proof.length);
    return shown(
      now,
      leaf,
      draws.oneIn(2) ? proof.slice(0, length) : proof.slice(proof.length - length),
    );
  },
  'a bit of a sibling': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const at = draws.below(proof.length);
    return shown(
      now,
      leaf,
      proof.map((hash, level) => (level === at ? flipped(hash, draws) : hash)),
    );
  },
  'a bit of the leaf': (now, _, draws) => {
    const { leaf, proof } = genuine(now, draws);
    const bit = 1n << BigInt(draws.below(64));
    const changes = [
      { lifetimeEarned: leaf.lifetimeEarned ^ bit },
      { lifetimeSlashed: leaf.lifetimeSlashed ^ bit },
      { payee: flipped(leaf.payee, draws) },
    ];
    return shown(now, { ...leaf, ...draws.of(changes) }, proof);
  },
};

function genuine({ leaves, tree }: Grown, draws: Draws) {
  const leaf = draws.of(leaves);
  return { leaf, proof: tree.proof(leaf.index) };
}

function shown(
  { network }: Grown,
  leaf: WorkerLeaf,
  proof: readonly Uint8Array[],
): Forgery & { readonly leaf: WorkerLeaf } {
  return { leaf, hash: sha256(workerLeafBytes(network, leaf)), place: leaf.index, proof };
}

const another = (index: number, count: number, draws: Draws): number =>
  (index + 1 + draws.below(count - 1)) % count;

function innerNode(tree: SettlementTree, place: number, height: number): Uint8Array {
  if (height === 0) return tree.leaf(place);
  const [left, right] = [2 * place, 2 * place + 1];
  return settlementNodeHash(
    innerNode(tree, left, height - 1),
    innerNode(tree, right, height - 1),
    sha256,
  );
}

function flipped(bytes: Uint8Array, draws: Draws): Uint8Array {
  const at = draws.below(bytes.length);
  const bit = 1 << draws.below(8);
  return bytes.map((byte, place) => (place === at ? byte ^ bit : byte));
}
