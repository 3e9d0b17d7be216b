import { Keypair, type AddressLookupTableAccount } from '@solana/web3.js';
import {
  settlementRootFrom,
  SettlementTree,
  workerLeafBytes,
  type WorkerLeaf,
} from '@tidemill/protocol';
import { describe, expect, test } from 'vitest';
import { batchClaim } from './batch.js';
import { claimBudget } from './budget.js';
import { lookupTable } from './testing/lookup-table.js';
import { TestChain } from './testing/chain.js';
import { sha256, TestNetwork, TIMES } from './testing/network.js';

const SIGNATURE_LAMPORTS = 5_000;
const MAX_TRANSACTION_BYTES = 1_232;

/** Siblings of a tree that large, without the tree: any hashes will do, as the root is made from them. */
const siblings = (depth: number): Uint8Array[] =>
  Array.from({ length: depth }, (_, at) => sha256(Uint8Array.of(at)));

/** Posts a root with a subtree at a place of a tree of some depth, and lets its window pass. */
function postSubtree(
  network: TestNetwork,
  subtree: Uint8Array,
  place: number,
  proof: Uint8Array[],
  depth: number,
) {
  const workerRoot = settlementRootFrom(subtree, place, proof, sha256);
  if (workerRoot === null) throw new RangeError('no such place');
  const statement = network.statement({ workerRoot, workerDepth: depth });
  const outcome = network.chain.must(network.postInstructions(statement), [network.authority]);
  network.chain.pass(TIMES.challengeSlots);
  return outcome;
}

async function batchOf(network: TestNetwork, height: number, depth: number) {
  await network.submitter(1_000_000n);
  const workers = Array.from({ length: 2 ** height }, () => network.worker());
  for (const { index } of workers) network.work(0, index, 1_000n);
  const tree = network.workerTree(network.workers);
  const proof = siblings(depth - height);
  postSubtree(network, tree.root, 0, proof, depth);
  const claim = batchClaim(
    tree,
    network.workers,
    { start: 0, height },
    (leaf) => workers[leaf.index]?.tokens ?? null,
  );
  if (claim === null) throw new Error('nobody to pay');
  return { workers, claim: { ...claim, proof } };
}

describe.each(['v3', 'v0'] as const)('what settlement costs on SBPF %s', (sbpf) => {
  test('a claim among 1,000,000 workers takes at most 15,000 compute units and 1,232 bytes', async () => {
    const network = await TestNetwork.open(new TestChain(sbpf));
    const { chain } = network;
    await network.submitter(1_000n);
    const key = Keypair.generate();
    const tokens = chain.tokenAccount(network.mint, key.publicKey);
    const index = 999_999;
    const leaf: WorkerLeaf = {
      index,
      payee: key.publicKey.toBytes(),
      lifetimeEarned: 500n,
      lifetimeSlashed: 0n,
    };
    network.totals = { ...network.totals, spent: 500n, earned: 500n };
    const proof = siblings(20);
    postSubtree(
      network,
      sha256(workerLeafBytes(network.address.toBytes(), leaf)),
      index,
      proof,
      20,
    );
    chain.must([await network.build.addPage(chain.payer.publicKey, Math.floor(index / 1270))]);

    const claim = await network.build.claim(leaf, proof, tokens);
    const outcome = chain.must([...claimBudget(1), claim]);
    expect(chain.balance(tokens)).toBe(500n);
    expect(outcome.computeUnits).toBeLessThanOrEqual(15_000);
    expect(outcome.bytes).toBeLessThanOrEqual(MAX_TRANSACTION_BYTES);
  });

  test('a batch of 8 among 10,000 workers costs each at most 650 lamports and 1,500 compute units', async () => {
    const network = await TestNetwork.open(new TestChain(sbpf));
    const { workers, claim } = await batchOf(network, 3, 14);
    const outcome = network.chain.must([...claimBudget(8), await network.build.claimBatch(claim)]);
    for (const { tokens } of workers) expect(network.chain.balance(tokens)).toBe(1_000n);
    expect(SIGNATURE_LAMPORTS / 8).toBeLessThanOrEqual(650);
    expect(outcome.computeUnits / 8).toBeLessThanOrEqual(1_500);
    expect(outcome.bytes).toBeLessThanOrEqual(MAX_TRANSACTION_BYTES);
  });

  test('a batch of 32 with an address table costs each at most 170 lamports', async () => {
    const network = await TestNetwork.open(new TestChain(sbpf));
    const { workers, claim } = await batchOf(network, 5, 14);
    const table: AddressLookupTableAccount = lookupTable(network.chain, [
      network.address,
      network.at.vault,
      network.at.page(0),
      network.build.tokenProgram,
      ...claim.destinations,
    ]);
    const instructions = [...claimBudget(32), await network.build.claimBatch(claim)];
    const outcome = network.chain.send(instructions, [], [table]);
    expect(outcome.refusal).toBeNull();
    for (const { tokens } of workers) expect(network.chain.balance(tokens)).toBe(1_000n);
    expect(SIGNATURE_LAMPORTS / 32).toBeLessThanOrEqual(170);
    expect(outcome.bytes).toBeLessThanOrEqual(MAX_TRANSACTION_BYTES);
  });

  test('a root with three co-signers fits in one transaction', async () => {
    const network = await TestNetwork.open(new TestChain(sbpf));
    const instructions = network.postInstructions(network.statement(), network.cosigners);
    const outcome = network.chain.must(instructions, [network.authority]);
    expect(outcome.bytes).toBeLessThanOrEqual(MAX_TRANSACTION_BYTES);
  });

  test('a worker costs at most 57,000 lamports of rent, once', async () => {
    const network = await TestNetwork.open(new TestChain(sbpf));
    const rent = Number(network.chain.lamports(network.at.page(0)));
    expect(rent / 1270).toBeLessThanOrEqual(57_000);
  });
});

test('the tree of the figures is the tree of the protocol', () => {
  const leaves = Array.from({ length: 8 }, (_, at) => sha256(Uint8Array.of(at)));
  const tree = new SettlementTree(leaves, sha256);
  expect(settlementRootFrom(tree.leaf(5), 5, tree.proof(5), sha256)).toEqual(tree.root);
});
