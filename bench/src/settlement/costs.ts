import { Keypair, type PublicKey, type TransactionInstruction } from '@solana/web3.js';
import { hash } from 'node:crypto';
import { SettlementTree, workerLeafBytes, type WorkerLeaf } from '@tidemill/protocol';
import { batchClaim, claimBudget } from '@tidemill/settlement-client';
import { lookupTable, TestChain, TestNetwork, TIMES } from '@tidemill/settlement-client/testing';

/** What each worker of the benchmark earns, in base units. */
const EARNED = 1_000n;
const HASH = 32;
const PAGE_PLACES = 1_270;
/** The arguments for 64 leaves alone would be 1,088 bytes: no transaction has room for them. */
const LARGEST_HEIGHT = 5;

export interface Payment {
  readonly cuPerWorker: number;
  readonly lamportsPerWorker: number;
  readonly workersPerTransaction: number;
  readonly bytes: number;
}

/** What settlement with so many workers costs on one version of the virtual machine. */
export interface Costs {
  readonly claim: { readonly cu: number; readonly bytes: number; readonly lamports: number };
  readonly claimBatch: Payment;
  readonly claimBatchWithTable: Payment;
  readonly rentPerWorkerLamports: number;
  readonly postRoot: { readonly cu: number; readonly bytes: number };
  readonly tree: TreeCost;
}

interface TreeCost {
  readonly depth: number;
  readonly cpuSeconds: number;
  /** The most that the process has held at any time until the tree was there. */
  readonly rssMiB: number;
  readonly proofsPerCpuSecond: number;
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

export async function costsOf(count: number, sbpf: 'v3' | 'v0'): Promise<Costs> {
  const network = await TestNetwork.open(new TestChain(sbpf));
  const { chain, build } = network;
  await network.submitter(EARNED * BigInt(count));
  const owners = new Map<number, Keypair>();
  const leaves = Array.from({ length: count }, (_, index) => leafOf(index, owners, count));
  const { tree, cost } = grow(network.address.toBytes(), leaves);

  const total = EARNED * BigInt(count);
  network.totals = { ...network.totals, spent: total, earned: total };
  const statement = network.statement({ workerRoot: tree.root, workerDepth: tree.depth });
  const posted = chain.must(network.postInstructions(statement, network.cosigners), [
    network.authority,
  ]);
  chain.pass(TIMES.challengeSlots);
  const last = Math.floor((count - 1) / PAGE_PLACES);
  if (last > 0) chain.must([await build.addPage(chain.payer.publicKey, last)]);

  const tokensOf = (index: number): PublicKey => {
    const owner = owners.get(index);
    if (owner === undefined) throw new RangeError(`nobody owns ${index}`);
    return chain.tokenAccount(network.mint, owner.publicKey);
  };
  const one = leaves[count - 1];
  if (one === undefined) throw new RangeError('at least one worker');
  const claim = await build.claim(one, tree.proof(one.index), tokensOf(one.index));
  const claimed = paid(chain, [...claimBudget(1), claim]);
  const batches = { chain, network, tree, leaves, tokensOf };
  return {
    claim: claimed,
    claimBatch: await largestBatch(batches, { from: 0, withTable: false }),
    claimBatchWithTable: await largestBatch(batches, { from: 64, withTable: true }),
    rentPerWorkerLamports: Number(chain.lamports(network.at.page(0))) / PAGE_PLACES,
    postRoot: { cu: posted.computeUnits, bytes: posted.bytes },
    tree: cost,
  };
}

/** Those who are paid in the benchmark have keys; the others are leaves like any other. */
function leafOf(index: number, owners: Map<number, Keypair>, count: number): WorkerLeaf {
  const isPaid = index < 3 * 2 ** LARGEST_HEIGHT || index === count - 1;
  if (isPaid) owners.set(index, Keypair.generate());
  const payee = owners.get(index)?.publicKey.toBytes() ?? sha256(Buffer.from(`worker ${index}`));
  return { index, payee, lifetimeEarned: EARNED, lifetimeSlashed: 0n };
}

function grow(network: Uint8Array, leaves: readonly WorkerLeaf[]) {
  const before = process.cpuUsage();
  // One piece of memory for all: a million small ones would take most of a gibibyte.
  const hashes = new Uint8Array(leaves.length * HASH);
  const places = leaves.map((leaf, at) => {
    hashes.set(sha256(workerLeafBytes(network, leaf)), at * HASH);
    return hashes.subarray(at * HASH, (at + 1) * HASH);
  });
  const tree = new SettlementTree(places, sha256);
  const cpuSeconds = secondsSince(before);
  const rssMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
  const serving = process.cpuUsage();
  for (const { index } of leaves) tree.proof(index);
  const proofsPerCpuSecond = Math.round(leaves.length / secondsSince(serving));
  return { tree, cost: { depth: tree.depth, cpuSeconds, rssMiB, proofsPerCpuSecond } };
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / 1_000) / 1_000;
}

interface Batches {
  readonly chain: TestChain;
  readonly network: TestNetwork;
  readonly tree: SettlementTree;
  readonly leaves: readonly WorkerLeaf[];
  readonly tokensOf: (index: number) => PublicKey;
}

/** The largest batch that a transaction has room for. */
async function largestBatch(
  { chain, network, tree, leaves, tokensOf }: Batches,
  { from, withTable }: { readonly from: number; readonly withTable: boolean },
): Promise<Payment> {
  for (let height = Math.min(LARGEST_HEIGHT, tree.depth); height >= 0; height -= 1) {
    const start = Math.min(from, 2 ** tree.depth - 2 ** height);
    if (start + 2 ** height > leaves.length) continue;
    const destinations = new Map<number, PublicKey>();
    const claim = batchClaim(tree, leaves, { start, height }, ({ index }) => {
      const tokens = destinations.get(index) ?? tokensOf(index);
      destinations.set(index, tokens);
      return tokens;
    });
    if (claim === null) continue;
    const { address, at } = network;
    const shared = [address, at.vault, at.page(claim.page), network.build.tokenProgram];
    const tables = withTable ? [lookupTable(chain, [...shared, ...claim.destinations])] : [];
    const workers = claim.destinations.length;
    // Anchor's coder has room for 1,000 bytes of arguments: with more of them the transaction would be too long too.
    const batch = await network.build.claimBatch(claim).catch(tooLong);
    if (batch === null) continue;
    const instructions = [...claimBudget(workers), batch];
    if (chain.sizeOf(instructions, tables) === null) continue;
    const { cu, lamports, bytes } = paid(chain, instructions, tables);
    return {
      cuPerWorker: cu / workers,
      lamportsPerWorker: lamports / workers,
      workersPerTransaction: workers,
      bytes,
    };
  }
  throw new RangeError('not even one worker fits in a transaction');
}

function tooLong(error: unknown): null {
  if (error instanceof RangeError) return null;
  throw error;
}

/** Sends it, and says what it took. */
export function paid(
  chain: TestChain,
  instructions: readonly TransactionInstruction[],
  tables: Parameters<TestChain['send']>[2] = [],
  signers: readonly Keypair[] = [],
): { cu: number; bytes: number; lamports: number } {
  const before = chain.lamports(chain.payer.publicKey);
  const { refusal, computeUnits, bytes } = chain.send(instructions, signers, tables);
  if (refusal !== null) throw new Error(`a payment was refused: ${refusal}`);
  const lamports = Number(before - chain.lamports(chain.payer.publicKey));
  return { cu: computeUnits, bytes, lamports };
}
