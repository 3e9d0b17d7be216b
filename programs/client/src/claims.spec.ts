import { Keypair } from '@solana/web3.js';
import { settlementNodeHash, workerLeafBytes, type WorkerLeaf } from '@tidemill/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { batchClaim } from './batch.js';
import { sha256, TestNetwork } from './testing/network.js';

let network: TestNetwork;
let workers: ReturnType<TestNetwork['worker']>[];

beforeAll(async () => {
  network = await TestNetwork.open();
  await network.submitter(1_000_000n);
  workers = Array.from({ length: 5 }, () => network.worker());
  for (const { index } of workers) network.work(0, index, 1_000n * BigInt(index + 1), 10n);
  network.settle();
});

const leafOf = (index: number): WorkerLeaf => {
  const leaf = network.posted.workers[index];
  if (leaf === undefined) throw new RangeError(`no worker ${index}`);
  return leaf;
};
const tokensOf = (index: number) => workers[index]?.tokens ?? network.at.vault;
const proofOf = (index: number) => network.workerTree().proof(index);
const claiming = async (
  leaf: WorkerLeaf,
  proof: Uint8Array[],
  destination = tokensOf(leaf.index),
) => network.chain.send([await network.build.claim(leaf, proof, destination)]).refusal;

describe('a forged proof pays nobody (G9)', () => {
  test('more than was earned, less that was slashed, or another payee', async () => {
    const leaf = leafOf(1);
    const mallory = Keypair.generate();
    const tokens = network.chain.tokenAccount(network.mint, mallory.publicKey);
    expect(await claiming({ ...leaf, lifetimeEarned: 9_999n }, proofOf(1))).toBe('BadProof');
    expect(await claiming({ ...leaf, lifetimeSlashed: 1n }, proofOf(1))).toBe('BadProof');
    const forged = { ...leaf, payee: mallory.publicKey.toBytes() };
    expect(await claiming(forged, proofOf(1), tokens)).toBe('BadProof');
    expect(await claiming(leaf, proofOf(1), tokens)).toBe('WrongTokenAccount');
  });

  test('another index, an index outside the tree that ends in the same bits, or a proof too short or long', async () => {
    const leaf = leafOf(1);
    expect(await claiming({ ...leaf, index: 2 }, proofOf(2))).toBe('WrongTokenAccount');
    expect(await claiming({ ...leaf, index: 3 }, proofOf(1), tokensOf(1))).toBe('BadProof');
    expect(await claiming({ ...leaf, index: 1 + 8 }, proofOf(1), tokensOf(1))).toBe('BadProof');
    expect(await claiming(leaf, proofOf(1).slice(1))).toBe('BadProof');
    expect(await claiming(leaf, [...proofOf(1), new Uint8Array(32)])).toBe('BadProof');
  });

  test('random proofs', async () => {
    for (let at = 0; at < 50; at += 1) {
      const noise = proofOf(1).map((hash, level) =>
        level === at % 3 ? sha256(Uint8Array.of(at)) : hash,
      );
      expect(await claiming(leafOf(1), noise)).toBe('BadProof');
    }
  });

  test('an inner node is no leaf', async () => {
    const tree = network.workerTree();
    const inner = settlementNodeHash(tree.leaf(0), tree.leaf(1), sha256);
    const claim = {
      start: 0,
      height: 0,
      page: 0,
      leaves: [{ passedOver: inner }],
      proof: tree.subtreeProof(0, 1),
      destinations: [],
    };
    expect(network.chain.send([await network.build.claimBatch(claim)]).refusal).toBe('BadProof');
  });

  test('a leaf of another network, or of the epoch before', async () => {
    const stale = leafOf(4);
    const staleProof = proofOf(4);
    network.work(0, 4, 7n);
    network.settle();
    expect(await claiming(stale, staleProof)).toBe('BadProof');
    const hash = sha256(workerLeafBytes(new Uint8Array(32), leafOf(4)));
    expect(hash).not.toEqual(network.workerTree().leaf(4));
  });
});

describe('claim', () => {
  test('pays once, and again only what came since (G9)', async () => {
    expect(await claiming(leafOf(0), proofOf(0))).toBeNull();
    expect(network.chain.balance(tokensOf(0))).toBe(990n);
    expect(await claiming(leafOf(0), proofOf(0))).toBeNull();
    expect(network.chain.balance(tokensOf(0))).toBe(990n);
    network.work(0, 0, 50n);
    network.settle();
    network.work(0, 0, 50n);
    network.settle();
    expect(await claiming(leafOf(0), proofOf(0))).toBeNull();
    expect(network.chain.balance(tokensOf(0))).toBe(1_090n);
  });

  test('pays nothing while more was slashed than is left, and goes on when that is earned again', async () => {
    network.slash(0, 0, 100n);
    network.settle();
    expect(await claiming(leafOf(0), proofOf(0))).toBeNull();
    expect(network.chain.balance(tokensOf(0))).toBe(1_090n);
    network.work(0, 0, 130n);
    network.settle();
    expect(await claiming(leafOf(0), proofOf(0))).toBeNull();
    expect(network.chain.balance(tokensOf(0))).toBe(1_120n);
  });

  test('goes on while the network is paused (G11)', async () => {
    const paused = await TestNetwork.open();
    await paused.submitter(1_000n);
    const { tokens } = paused.worker();
    paused.work(0, 0, 10n);
    paused.settle();
    const [guardian] = paused.guardians;
    if (!guardian) throw new Error('a guardian');
    paused.chain.must([await paused.build.pause(guardian.publicKey)], [guardian]);
    paused.chain.must([await paused.claim(0, tokens)]);
    expect(paused.chain.balance(tokens)).toBe(10n);
    const post = paused.postInstructions(paused.statement());
    expect(paused.chain.send(post, [paused.authority]).refusal).toBe('Paused');
  });
});

describe('claim_batch', () => {
  test('pays each its own, passes over who has no token account, and pays nobody twice (G9)', async () => {
    const tree = network.workerTree();
    const claim = batchClaim(tree, network.posted.workers, { start: 0, height: 3 }, (leaf) =>
      leaf.index === 2 ? null : tokensOf(leaf.index),
    );
    if (claim === null) throw new Error('nobody to pay');
    expect(claim.destinations).toHaveLength(4);
    network.chain.must([await network.build.claimBatch(claim)]);
    const balances = workers.map(({ tokens }) => network.chain.balance(tokens));
    expect(balances).toEqual([1_120n, 1_990n, 0n, 3_990n, 4_997n]);
    network.chain.must([await network.build.claimBatch(claim)]);
    expect(workers.map(({ tokens }) => network.chain.balance(tokens))).toEqual(balances);

    const [first, second, ...rest] = claim.destinations;
    if (!first || !second) throw new Error('two destinations');
    const refused = async (changed: typeof claim) =>
      network.chain.send([await network.build.claimBatch(changed)]).refusal;
    expect(await refused({ ...claim, destinations: [second, first, ...rest] })).toBe('BadProof');
    expect(await refused({ ...claim, destinations: [first, ...rest] })).toBe('MissingAccount');
    expect(await refused({ ...claim, destinations: rest })).toBe('MissingAccount');
    expect(await refused({ ...claim, destinations: [...claim.destinations, first] })).toBe(
      'BadArguments',
    );
    expect(await refused({ ...claim, start: 1 })).toBe('BadArguments');
    expect(await refused({ ...claim, start: 8 })).toBe('BadProof');
    expect(await refused({ ...claim, height: 7 })).toBe('BadArguments');
  });

  test('a subtree that lies in two pages is paid page by page', () => {
    const leaves = Array.from({ length: 1_280 }, (_, index) => ({
      index,
      payee: new Uint8Array(32),
      lifetimeEarned: 1n,
      lifetimeSlashed: 0n,
    }));
    const tree = network.workerTree(leaves);
    const claim = batchClaim(tree, leaves, { start: 1_264, height: 3 }, () => network.at.vault);
    expect(claim).toMatchObject({ page: 0 });
    expect(claim?.destinations).toHaveLength(6);
  });
});
