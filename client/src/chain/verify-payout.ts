import {
  bytesToHex,
  decodeBase58,
  SettlementTree,
  submitterLeafBytes,
  type SubmitterLeafLine,
  workerLeafBytes,
  type WorkerLeafLine,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import type { RootOnChain } from './network-account.js';

/** All leaves of an epoch as the orchestrator exports them. Nothing of them is believed. */
export interface ShownLeaves {
  readonly workers: readonly WorkerLeafLine[];
  readonly submitters: readonly SubmitterLeafLine[];
}

export interface PayoutCheck {
  readonly name: string;
  readonly result: 'ok' | 'bad';
  /** What was found, and what the chain says where they differ. */
  readonly detail: string;
}

/** Works the two roots out of the leaves, and compares roots, depths and sums with what the program holds. */
export function checkLeaves(
  network: Uint8Array,
  { workers, submitters }: ShownLeaves,
  root: RootOnChain,
): PayoutCheck[] {
  const paid = treeOf(workers, (leaf) =>
    workerLeafBytes(network, {
      index: leaf.index,
      payee: bytes(leaf.payee),
      lifetimeEarned: BigInt(leaf.earned),
      lifetimeSlashed: BigInt(leaf.slashed),
    }),
  );
  const paying = treeOf(submitters, (leaf) =>
    submitterLeafBytes(network, {
      index: leaf.index,
      submitter: bytes(leaf.wallet),
      lifetimeSpent: BigInt(leaf.spent),
      lifetimeRefunded: BigInt(leaf.refunded),
      held: BigInt(leaf.held),
    }),
  );
  return [
    compared('root of the workers', paid, rootText(root.workerRoot, root.workerDepth)),
    compared('root of the submitters', paying, rootText(root.submitterRoot, root.submitterDepth)),
    compared('sum of what was earned', sum(workers, 'earned'), String(root.earned)),
    compared('sum of what was slashed', sum(workers, 'slashed'), String(root.slashed)),
    compared('sum of what was spent', sum(submitters, 'spent'), String(root.spent)),
    compared('sum of what was refunded', sum(submitters, 'refunded'), String(root.refunded)),
  ];
}

/** The leaf that pays an index, and whether no more was paid on chain than it says. */
export function checkWorker(
  leaf: WorkerLeafLine,
  paid: bigint,
): { readonly check: PayoutCheck; readonly claimable: bigint } {
  const due = BigInt(leaf.earned) - BigInt(leaf.slashed);
  const isCovered = paid <= BigInt(leaf.earned);
  return {
    check: {
      name: `paid to index ${leaf.index}`,
      result: isCovered ? 'ok' : 'bad',
      detail: isCovered ? `${paid} of ${due}` : `${paid} was paid, only ${leaf.earned} was earned`,
    },
    claimable: due > paid ? due - paid : 0n,
  };
}

function treeOf<Leaf extends { readonly index: number }>(
  leaves: readonly Leaf[],
  bytesOf: (leaf: Leaf) => Uint8Array,
): string {
  try {
    if (leaves.some(({ index }, place) => index !== place)) return 'leaves out of order';
    const tree = new SettlementTree(
      leaves.map((leaf) => nodeSha256(bytesOf(leaf))),
      nodeSha256,
    );
    return rootText(tree.root, tree.depth);
  } catch (error) {
    // An amount beyond 64 bits, or an address of another length.
    return error instanceof Error ? error.message : 'a leaf is none';
  }
}

const rootText = (root: Uint8Array, depth: number): string =>
  `${bytesToHex(root)} of depth ${depth}`;

const compared = (name: string, found: string, onChain: string): PayoutCheck =>
  found === onChain
    ? { name, result: 'ok', detail: found }
    : { name, result: 'bad', detail: `${found}, the chain says ${onChain}` };

function sum<Name extends string>(
  leaves: readonly Readonly<Record<Name, string>>[],
  name: Name,
): string {
  return String(leaves.reduce((all, leaf) => all + BigInt(leaf[name]), 0n));
}

const bytes = (address: string): Uint8Array => decodeBase58(address) ?? new Uint8Array();
