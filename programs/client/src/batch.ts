import type { IdlTypes } from '@coral-xyz/anchor';
import type { PublicKey } from '@solana/web3.js';
import { paidTotalAt, type SettlementTree, type WorkerLeaf } from '@tidemill/protocol';
import type { SettlementIdl } from './idl.js';
import { word } from './word.js';

/** A leaf of a batch: one that is paid, or the hash that stands for one that is not. */
type BatchLeaf = { readonly paid: WorkerLeaf } | { readonly passedOver: Uint8Array };

/** The arguments and accounts of one `claim_batch`. */
export interface BatchClaim {
  readonly start: number;
  readonly height: number;
  readonly page: number;
  readonly leaves: readonly BatchLeaf[];
  readonly proof: readonly Uint8Array[];
  /** A token account for each leaf that is paid, in order. */
  readonly destinations: readonly PublicKey[];
}

/**
 * The batch that pays whom it can of the 2^height indexes from `start`: those with a leaf and a token account, in the page of the first of
 * them. Null when there are none. `leaves` are those that the tree was made of.
 */
export function batchClaim(
  tree: SettlementTree,
  leaves: readonly WorkerLeaf[],
  { start, height }: { readonly start: number; readonly height: number },
  destinationOf: (leaf: WorkerLeaf) => PublicKey | null,
): BatchClaim | null {
  const proof = tree.subtreeProof(start, height);
  const payable = leaves.slice(start, start + 2 ** height).flatMap((leaf) => {
    const destination = destinationOf(leaf);
    return destination === null ? [] : [{ leaf, destination, page: paidTotalAt(leaf.index).page }];
  });
  const [first] = payable;
  if (first === undefined) return null;
  const paid = new Map(
    payable.filter(({ page }) => page === first.page).map((one) => [one.leaf.index, one]),
  );
  return {
    start,
    height,
    page: first.page,
    leaves: Array.from({ length: 2 ** height }, (_, at): BatchLeaf => {
      const one = paid.get(start + at);
      return one === undefined ? { passedOver: tree.leaf(start + at) } : { paid: one.leaf };
    }),
    proof,
    destinations: [...paid.values()].map(({ destination }) => destination),
  };
}

type BatchLeafArgs = IdlTypes<SettlementIdl>['batchLeaf'];

/** The leaves as Anchor's coder takes them. */
export const batchLeafArgs = (claim: BatchClaim): BatchLeafArgs[] =>
  claim.leaves.map((leaf) =>
    'paid' in leaf
      ? {
          paid: {
            lifetimeEarned: word(leaf.paid.lifetimeEarned),
            lifetimeSlashed: word(leaf.paid.lifetimeSlashed),
          },
        }
      : { passedOver: { hash: [...leaf.passedOver] } },
  );
