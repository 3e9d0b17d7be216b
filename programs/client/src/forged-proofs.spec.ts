import { TOKEN_PROGRAM_ID } from '@solana/spl-token';
import { Keypair, type PublicKey, type TransactionInstruction } from '@solana/web3.js';
import { settlementRootFrom, type WorkerLeaf } from '@tidemill/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { TestChain } from './testing/chain.js';
import { type Forgery, FORGERS, type Grown } from './testing/forgeries.js';
import { sha256, TestNetwork } from './testing/network.js';
import { hashes, u32, u64, u8, written } from './testing/sequence/bytes.js';
import { Draws } from './testing/sequence/draws.js';

const isLong = process.env['TIDEMILL_TEST_LONG'] === '1';
const KINDS = Object.entries(FORGERS);
const FORGERIES = isLong ? 2_000_000 : 100_000;
/** Of each kind, shown to the program itself. */
const SHOWN = isLong ? 5_000 : 50;
const WORKERS = 100;

let network: TestNetwork;
let page: PublicKey;
let tokens: PublicKey[];
let before: Grown;
let now: Grown;

beforeAll(async () => {
  network = await TestNetwork.open(new TestChain().trustSigners());
  await network.submitter(10_000_000n);
  page = network.at.page(0);
  const keys = Array.from({ length: WORKERS }, () => Keypair.generate().publicKey);
  tokens = keys.map((key) => network.chain.tokenAccount(network.mint, key));
  network.workers = keys.map((key, index) => ({
    index,
    payee: key.toBytes(),
    lifetimeEarned: 0n,
    lifetimeSlashed: 0n,
  }));
  for (const index of keys.keys()) network.work(0, index, 1_000n + BigInt(index));
  network.settle();
  before = grown(network.posted.workers);
  for (const index of keys.keys()) network.work(0, index, 7n);
  network.settle();
  now = grown(network.posted.workers);
});

const grown = (leaves: readonly WorkerLeaf[]): Grown => ({
  network: network.address.toBytes(),
  leaves,
  tree: network.workerTree([...leaves]),
});

/** As the program does: so many siblings as the root is deep, and the place decides their sides. */
function isAccepted({ hash, place, proof }: Omit<Forgery, 'leaf'>): boolean {
  if (proof.length !== now.tree.depth) return false;
  const root = settlementRootFrom(hash, place, proof, sha256);
  return root !== null && Buffer.from(root).equals(now.tree.root);
}

test('no forged proof leads to the root (G9)', { timeout: 600_000 }, async ({ annotate }) => {
  const draws = new Draws(1);
  for (let at = 0; at < FORGERIES; at += 1) {
    const [kind, forge] = KINDS[at % KINDS.length] ?? [];
    if (forge === undefined || isAccepted(forge(now, before, draws)))
      throw new Error(`forgery ${at} was taken: ${kind}`);
  }
  for (const { index } of now.leaves) {
    const genuine = { hash: now.tree.leaf(index), place: index, proof: now.tree.proof(index) };
    expect(isAccepted(genuine)).toBe(true);
  }
  await annotate(`${FORGERIES} forged proofs refused (100,000 asked)`, 'T10');
});

describe('the program takes none of them either', () => {
  test.each(KINDS)('%s', { timeout: 600_000 }, async (_, forge) => {
    const draws = new Draws(2);
    const { chain } = network;
    for (let at = 0; at < SHOWN; at += 1) {
      const { refusal } = chain.send([claimOf(forge(now, before, draws), draws)]);
      expect(refusal).toMatch(/^(BadProof|WrongTokenAccount|WrongPage)$/);
    }
    expect(chain.balance(network.at.vault)).toBe(10_000_000n);
  });

  test('and the genuine ones pay', () => {
    for (const index of [0, WORKERS - 1]) {
      const [leaf, proof] = [now.leaves[index] ?? null, now.tree.proof(index)];
      const claim = { leaf, hash: now.tree.leaf(index), place: index, proof };
      expect(network.chain.send([claimOf(claim, new Draws(3))]).refusal).toBeNull();
    }
    expect(network.chain.balance(network.at.vault)).toBe(10_000_000n - 2_113n);
  });
});

/** A claim by a forgery, or for one without a leaf a batch that passes its hash over. */
function claimOf({ leaf, hash, place, proof }: Forgery, draws: Draws): TransactionInstruction {
  const { programId } = network.chain.program;
  const { address, at } = network;
  if (leaf === null) {
    const args = [u32(place), u8(0), u32(1), u8(0), hash, hashes(proof)];
    return written(programId, 'claimBatch', [address, at.vault, page, TOKEN_PROGRAM_ID], args);
  }
  const owner = now.leaves.findIndex(({ payee }) => Buffer.from(payee).equals(leaf.payee));
  const destination = tokens[owner] ?? draws.of(tokens);
  // Where the proof is for another place than the leaf says, the leaf has to say that place.
  const args = [
    u32(place),
    leaf.payee,
    u64(leaf.lifetimeEarned),
    u64(leaf.lifetimeSlashed),
    hashes(proof),
  ];
  const accounts = [address, at.vault, page, destination, TOKEN_PROGRAM_ID];
  return written(programId, 'claim', accounts, args);
}
