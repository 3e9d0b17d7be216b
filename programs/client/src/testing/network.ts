import { createHash } from 'node:crypto';
import { TOKEN_PROGRAM_ID } from '@solana/spl-token';
import { Keypair, type PublicKey, type TransactionInstruction } from '@solana/web3.js';
import {
  rootStatementBytes,
  SettlementTree,
  submitterLeafBytes,
  workerLeafBytes,
  type RootStatement,
  type SettlementTotals,
  type SubmitterLeaf,
  type WorkerLeaf,
} from '@tidemill/protocol';
import type { GovernedAction } from '../action.js';
import { networkAddress, SettlementAddresses } from '../addresses.js';
import { type NetworkSetup, SettlementInstructions } from '../instructions.js';
import type { SignedBy } from '../signatures.js';
import { TestChain } from './chain.js';
import { signatureOf } from './transaction.js';

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

/** An ed25519 signature over bytes. */
export const signWith = (key: Keypair, message: Uint8Array): SignedBy => ({
  publicKey: key.publicKey.toBytes(),
  signature: signatureOf(key, message),
});

const keys = (count: number) => Array.from({ length: count }, () => Keypair.generate());
const publicOf = (of: readonly Keypair[]) => of.map((key) => key.publicKey);

export const TIMES = {
  challengeSlots: 10n,
  unbondingSlots: 60n,
  timelockSlots: 20n,
  approvalSlots: 30n,
  staleSlots: 100n,
  accountOpeningFee: 0n,
};

export const CAPS = {
  windowSlots: 50n,
  growthLimit: 1_000_000_000_000n,
  relativeFloor: 1_000_000_000n,
  growthBps: 5_000n,
};

/** A network on a chain of its own, and a ledger that knows what its leaves should say. */
export class TestNetwork {
  readonly chain: TestChain;
  readonly mint: PublicKey;
  readonly initializer: Keypair;
  readonly authority = Keypair.generate();
  readonly releaser = Keypair.generate();
  readonly cosigners = keys(3);
  readonly admins = keys(3);
  readonly guardians = keys(2);
  readonly address: PublicKey;
  readonly at: SettlementAddresses;
  readonly build: SettlementInstructions;
  readonly genesisHash: Uint8Array;

  /** What the next root will say. */
  workers: WorkerLeaf[] = [];
  submitters: SubmitterLeaf[] = [];
  totals: SettlementTotals = {
    spent: 0n,
    earned: 0n,
    slashed: 0n,
    refunded: 0n,
    fees: 0n,
    feesGiven: 0n,
    dust: 0n,
  };
  epoch = 0n;
  /** What the last root said. */
  posted: { workers: WorkerLeaf[]; submitters: SubmitterLeaf[] } = { workers: [], submitters: [] };

  constructor(
    options: {
      chain?: TestChain;
      mint?: PublicKey;
      tokenProgram?: PublicKey;
      cluster?: string;
    } = {},
  ) {
    this.genesisHash = sha256(Buffer.from(options.cluster ?? 'test cluster'));
    this.chain = options.chain ?? new TestChain();
    const tokenProgram = options.tokenProgram ?? TOKEN_PROGRAM_ID;
    this.mint = options.mint ?? this.chain.mint(tokenProgram);
    this.initializer = this.chain.payer;
    const { programId } = this.chain.program;
    this.address = networkAddress(programId, this.initializer.publicKey, this.genesisHash);
    this.at = new SettlementAddresses(programId, this.address);
    this.build = new SettlementInstructions(this.chain.program, this.at, tokenProgram);
    for (const key of [this.authority, ...this.admins, ...this.guardians])
      this.chain.fund(key.publicKey);
  }

  setup(changes: Partial<NetworkSetup> = {}): NetworkSetup {
    return {
      initializer: this.initializer.publicKey,
      genesisHash: this.genesisHash,
      mint: this.mint,
      authority: this.authority.publicKey,
      releaser: this.releaser.publicKey,
      cosigners: { threshold: 2, keys: publicOf(this.cosigners) },
      admins: { threshold: 2, keys: publicOf(this.admins) },
      guardians: { threshold: 1, keys: publicOf(this.guardians) },
      parameters: TIMES,
      caps: CAPS,
      ...changes,
    };
  }

  /** A network that is initialized, with its first page. */
  static async open(chain = new TestChain(), cluster?: string): Promise<TestNetwork> {
    const network = new TestNetwork({ chain, ...(cluster === undefined ? {} : { cluster }) });
    chain.must([
      await network.build.initialize(network.setup()),
      await network.build.addPage(chain.payer.publicKey, 0),
    ]);
    return network;
  }

  state(): Promise<any> {
    const { coder } = this.chain.program;
    return Promise.resolve(coder.accounts.decode('network', this.chain.data(this.address)));
  }

  /** A submitter with tokens deposited, and the token account it owns. */
  async submitter(amount: bigint): Promise<{ key: Keypair; tokens: PublicKey }> {
    const key = Keypair.generate();
    this.chain.fund(key.publicKey);
    const { tokenProgram } = this.build;
    const tokens = this.chain.tokenAccount(this.mint, key.publicKey, amount, tokenProgram);
    const deposit = await this.build.deposit({
      depositor: key.publicKey,
      submitter: key.publicKey,
      source: tokens,
      amount,
    });
    this.chain.must([deposit], [key]);
    this.submitters.push({
      index: this.submitters.length,
      submitter: key.publicKey.toBytes(),
      lifetimeSpent: 0n,
      lifetimeRefunded: 0n,
      held: 0n,
    });
    return { key, tokens };
  }

  /** A worker with an index, and the token account it is paid to. */
  worker(): { key: Keypair; tokens: PublicKey; index: number } {
    const key = Keypair.generate();
    const index = this.workers.length;
    this.workers.push({
      index,
      payee: key.publicKey.toBytes(),
      lifetimeEarned: 0n,
      lifetimeSlashed: 0n,
    });
    const { tokenProgram } = this.build;
    const tokens = this.chain.tokenAccount(this.mint, key.publicKey, 0n, tokenProgram);
    return { key, tokens, index };
  }

  /** A submitter spends, a worker earns, and the rest is the fee. */
  work(submitter: number, worker: number, price: bigint, fee = 0n): void {
    this.change('submitters', submitter, (leaf) => ({ lifetimeSpent: leaf.lifetimeSpent + price }));
    this.change('workers', worker, (leaf) => ({
      lifetimeEarned: leaf.lifetimeEarned + price - fee,
    }));
    this.totals = {
      ...this.totals,
      spent: this.totals.spent + price,
      earned: this.totals.earned + price - fee,
      fees: this.totals.fees + fee,
    };
  }

  /** What a worker earned wrongly is taken back and given to a submitter. */
  slash(worker: number, submitter: number, amount: bigint): void {
    this.change('workers', worker, (leaf) => ({ lifetimeSlashed: leaf.lifetimeSlashed + amount }));
    this.change('submitters', submitter, (leaf) => ({
      lifetimeRefunded: leaf.lifetimeRefunded + amount,
    }));
    this.totals = {
      ...this.totals,
      slashed: this.totals.slashed + amount,
      refunded: this.totals.refunded + amount,
    };
  }

  change<List extends 'workers' | 'submitters'>(
    list: List,
    index: number,
    by: (leaf: TestNetwork[List][number]) => Partial<TestNetwork[List][number]>,
  ): void {
    const leaves = this[list] as TestNetwork[List][number][];
    const leaf = leaves[index];
    if (leaf !== undefined) leaves[index] = { ...leaf, ...by(leaf) };
  }

  workerTree(leaves = this.posted.workers): SettlementTree {
    const bytes = this.address.toBytes();
    return new SettlementTree(
      leaves.map((leaf) => sha256(workerLeafBytes(bytes, leaf))),
      sha256,
    );
  }

  submitterTree(leaves = this.posted.submitters): SettlementTree {
    const bytes = this.address.toBytes();
    return new SettlementTree(
      leaves.map((leaf) => sha256(submitterLeafBytes(bytes, leaf))),
      sha256,
    );
  }

  statement(changes: Partial<RootStatement> = {}): RootStatement {
    const workers = this.workerTree(this.workers);
    const submitters = this.submitterTree(this.submitters);
    return {
      network: this.address.toBytes(),
      program: this.chain.program.programId.toBytes(),
      epoch: this.epoch + 1n,
      sealedSlot: this.chain.slot(),
      workerRoot: workers.root,
      workerDepth: workers.depth,
      submitterRoot: submitters.root,
      submitterDepth: submitters.depth,
      totals: this.totals,
      trailRoot: sha256(Buffer.from('trail')),
      trailSize: 100n * (this.epoch + 1n),
      registryRoot: sha256(Buffer.from('registry')),
      ...changes,
    };
  }

  postInstructions(
    statement: RootStatement,
    signers: readonly Keypair[] = this.cosigners.slice(0, 2),
  ): TransactionInstruction[] {
    const message = rootStatementBytes(statement);
    const signed = signers.map((key) => signWith(key, message));
    return this.build.postRoot(this.authority.publicKey, statement, signed, 0);
  }

  /** Posts what the ledger says. */
  post(): void {
    this.chain.must(this.postInstructions(this.statement()), [this.authority]);
    this.epoch += 1n;
    this.posted = { workers: [...this.workers], submitters: [...this.submitters] };
  }

  /** Posts and lets the window pass. */
  settle(): void {
    this.post();
    this.chain.pass(TIMES.challengeSlots);
  }

  claim(index: number, destination: PublicKey): Promise<TransactionInstruction> {
    const leaf = this.posted.workers[index];
    if (leaf === undefined) throw new RangeError(`no worker has index ${index}`);
    return this.build.claim(leaf, this.workerTree().proof(index), destination);
  }

  withdrawal(index: number, submitter: PublicKey, destination: PublicKey) {
    const leaf = this.posted.submitters[index];
    if (leaf === undefined) throw new RangeError(`no submitter has index ${index}`);
    const proof = this.submitterTree().proof(index);
    return this.build.withdraw({ submitter, destination, leaf, proof });
  }

  /** Proposes an action and has two others approve it; gives the proposal's number. */
  async approved(action: GovernedAction): Promise<bigint> {
    const number = BigInt((await this.state()).proposals.toString());
    const [proposer, ...others] = this.admins;
    if (proposer === undefined) throw new RangeError('no admins');
    this.chain.must([await this.build.propose(proposer.publicKey, number, action)], [proposer]);
    const proposal = this.chain.program.coder.accounts.decode(
      'proposal',
      this.chain.data(this.at.proposal(number)),
    );
    for (const other of others) {
      const approval = await this.build.approve(
        other.publicKey,
        number,
        Uint8Array.from(proposal.digest),
      );
      this.chain.must([approval], [other]);
    }
    return number;
  }
}
