import { Keypair, type PublicKey, type TransactionInstruction } from '@solana/web3.js';
import { vaultOf } from '@tidemill/core/settlement';
import {
  SettlementTree,
  submitterLeafBytes,
  workerLeafBytes,
  type RootStatement,
  type SubmitterLeaf,
  type WorkerLeaf,
} from '@tidemill/protocol';
import { REFUSALS } from '../../refusals.js';
import type { TestChain } from '../chain.js';
import { sha256, TestNetwork } from '../network.js';
import { SequenceLedger } from './ledger.js';
import { SettlementModel, type Verdict } from './model.js';

const ACTORS = 6;
const START = 20_000n;
/** Small enough that a sequence meets them. */
const CAPS = {
  windowSlots: 50n,
  growthLimit: 20_000n,
  relativeFloor: 4_000n,
  growthBps: 5_000n,
};

/** Where the books stand in the network's account, behind its kind and eight addresses. */
const BOOKS = 264;
const WINDOW = 400;
const PAGE_HEAD = 80;
const PLACE = 72;
const TOKEN_AMOUNT = 64;

interface Actor {
  readonly key: Keypair;
  readonly tokens: PublicKey;
}

/** The actors, who play in every sequence, and what an adversary may put in another account's place. */
export interface Cast {
  readonly chain: TestChain;
  readonly mint: PublicKey;
  readonly submitters: readonly Actor[];
  readonly workers: readonly Actor[];
  readonly treasury: PublicKey;
  readonly mallory: Actor;
  readonly other: TestNetwork;
}

export async function cast(chain: TestChain): Promise<Cast> {
  const mint = chain.mint();
  const actor = (): Actor => {
    const key = Keypair.generate();
    chain.fund(key.publicKey);
    return { key, tokens: chain.tokenAccount(mint, key.publicKey) };
  };
  const actors = () => Array.from({ length: ACTORS }, actor);
  return {
    chain,
    mint,
    submitters: actors(),
    workers: actors(),
    treasury: chain.tokenAccount(mint, Keypair.generate().publicKey),
    mallory: actor(),
    other: await TestNetwork.open(chain, 'the other network'),
  };
}

/** A root that was posted, with the leaves and trees behind it. */
export interface Posted {
  readonly statement: RootStatement;
  readonly workers: readonly WorkerLeaf[];
  readonly submitters: readonly SubmitterLeaf[];
  readonly workerTree: SettlementTree;
  readonly submitterTree: SettlementTree;
}

/** What something is called, what the machine has for it and what the model has. */
type Fact = [string, bigint, bigint];

/** One network in the machine, the model of it, and the ledger that its roots come from. */
export class World {
  readonly posted: Posted[] = [];
  private readonly supply: bigint;
  private readonly proposals: PublicKey[] = [];
  private readonly addresses: { submitters: PublicKey[]; stakes: PublicKey[]; page: PublicKey };

  private constructor(
    readonly cast: Cast,
    readonly network: TestNetwork,
    readonly model: SettlementModel,
    readonly ledger: SequenceLedger,
  ) {
    const { at } = network;
    this.addresses = {
      submitters: cast.submitters.map(({ key }) => at.submitter(key.publicKey)),
      stakes: cast.workers.map(({ key }) => at.stake(key.publicKey)),
      page: at.page(0),
    };
    this.supply = this.outside();
  }

  static async open(cast: Cast, seed: number): Promise<World> {
    const { chain, mint } = cast;
    const network = new TestNetwork({ chain, mint, cluster: `sequence ${seed}` });
    chain.must([
      await network.build.initialize(network.setup({ caps: CAPS })),
      await network.build.addPage(chain.payer.publicKey, 0),
    ]);
    const funded = (actor: Actor) => {
      const missing = START - chain.balance(actor.tokens);
      if (missing > 0n) chain.give(mint, actor.tokens, missing);
      return chain.balance(actor.tokens);
    };
    const model = new SettlementModel(
      network.address.toBytes(),
      cast.submitters.map((actor) => ({ tokens: funded(actor), account: null })),
      cast.workers.map((actor) => ({ tokens: funded(actor), paid: 0n, stake: null })),
      CAPS,
    );
    model.slot = chain.slot();
    model.treasury = chain.balance(cast.treasury);
    const bytes = (actors: readonly Actor[]) => actors.map(({ key }) => key.publicKey.toBytes());
    return new World(
      cast,
      network,
      model,
      new SequenceLedger(bytes(cast.workers), bytes(cast.submitters)),
    );
  }

  get page(): PublicKey {
    return this.addresses.page;
  }

  submitterAccount(index: number): PublicKey {
    return placed(this.addresses.submitters, index);
  }

  proposal(number: number): PublicKey {
    const known = this.proposals[number] ?? this.network.at.proposal(BigInt(number));
    this.proposals[number] = known;
    return known;
  }

  stakeAccount(index: number): PublicKey {
    return placed(this.addresses.stakes, index);
  }

  /** The next root as the ledger has it. */
  next(): Posted {
    const [workers, submitters] = [[...this.ledger.workers], [...this.ledger.submitters]];
    const network = this.network.address.toBytes();
    const workerTree = new SettlementTree(
      workers.map((leaf) => sha256(workerLeafBytes(network, leaf))),
      sha256,
    );
    const submitterTree = new SettlementTree(
      submitters.map((leaf) => sha256(submitterLeafBytes(network, leaf))),
      sha256,
    );
    const statement: RootStatement = {
      network,
      program: this.network.chain.program.programId.toBytes(),
      epoch: this.model.lastEpoch + 1n,
      sealedSlot: this.model.slot,
      workerRoot: workerTree.root,
      workerDepth: workerTree.depth,
      submitterRoot: submitterTree.root,
      submitterDepth: submitterTree.depth,
      totals: this.ledger.totals,
      trailRoot: new Uint8Array(32),
      trailSize: this.model.lastEpoch,
      registryRoot: new Uint8Array(32),
    };
    return { statement, workers, submitters, workerTree, submitterTree };
  }

  send(instructions: readonly TransactionInstruction[], signers: readonly Keypair[]): Verdict {
    const { refusal } = this.cast.chain.send(instructions, signers);
    if (refusal === null) return null;
    return REFUSALS.find(({ name }) => name === refusal)?.name ?? 'TokenProgram';
  }

  pass(slots: bigint): void {
    this.cast.chain.pass(slots);
    this.model.slot = this.cast.chain.slot();
  }

  /**
   * Where the machine differs from the model or tokens came or went (G8), or null: the books and both vaults always; every token account
   * as well unless the instruction was refused; the accounts of submitters and stakes and the page in the end.
   */
  fault(depth: 'refused' | 'done' | 'end'): string | null {
    const facts = [
      ...this.bookFacts(),
      ...(depth === 'refused' ? [] : this.tokenFacts()),
      ...(depth === 'end' ? this.wholeFacts() : []),
    ];
    const wrong = facts.find(([, found, expected]) => found !== expected);
    return wrong === undefined ? null : `${wrong[0]}: ${wrong[1]}, and ${wrong[2]} by the model`;
  }

  private bookFacts(): Fact[] {
    const { model, network } = this;
    const data = this.cast.chain.data(network.address);
    const word = (at: number) => data.readBigUInt64LE(at);
    const { deposited, withdrawn, paid, feesWithdrawn } = model.chain;
    const { staked, unbonding, slashed } = model.stakes;
    return [
      ['the books of deposits', word(BOOKS), deposited],
      ['the books of withdrawals', word(BOOKS + 8), withdrawn],
      ['the books of claims', word(BOOKS + 16), paid],
      ['the books of fees', word(BOOKS + 24), feesWithdrawn],
      ['the books of stakes', word(BOOKS + 32), staked],
      ['the books of unbonding stakes', word(BOOKS + 40), unbonding],
      ['the books of slashed stakes', word(BOOKS + 48), slashed],
      ['the start of the window', word(WINDOW), model.window.start],
      ['the base of the window', word(WINDOW + 8), model.window.base],
      ['the last epoch', word(WINDOW + 16), model.lastEpoch],
      ['the number of proposals', word(WINDOW + 24), BigInt(model.proposals.length)],
      ['the vault', this.balance(network.at.vault), vaultOf(model.chain)],
      ['the vault of stakes', this.balance(network.at.stakeVault), staked + unbonding + slashed],
    ];
  }

  private tokenFacts(): Fact[] {
    const { model, cast } = this;
    const facts: Fact[] = [
      ['the treasury', this.balance(cast.treasury), model.treasury],
      ...model.submitters.map((one, at): Fact => {
        const { tokens } = placed(cast.submitters, at);
        return [`submitter ${at}`, this.balance(tokens), one.tokens];
      }),
      ...model.workers.map((one, at): Fact => {
        const { tokens } = placed(cast.workers, at);
        return [`worker ${at}`, this.balance(tokens), one.tokens];
      }),
    ];
    const { staked, unbonding, slashed } = model.stakes;
    const inside = vaultOf(model.chain) + staked + unbonding + slashed;
    const outside = facts.reduce((sum, [, found]) => sum + found, 0n);
    return [...facts, ['the sum of all tokens', outside + inside, this.supply]];
  }

  private wholeFacts(): Fact[] {
    const { model, cast } = this;
    const words = (account: PublicKey, expected: Record<string, bigint>) => {
      const data = cast.chain.data(account);
      return Object.entries(expected).map(([name, value], at): Fact => {
        return [name, data.readBigUInt64LE(PLACE + 8 * at), value];
      });
    };
    const page = cast.chain.data(this.page);
    let paid = 0n;
    for (let at = PAGE_HEAD; at < page.length; at += 8) paid += page.readBigUInt64LE(at);
    return [
      ['the sum of the page', paid, model.chain.paid],
      ...model.submitters.flatMap(({ account }, at) =>
        account === null ? [] : words(this.submitterAccount(at), { ...account }),
      ),
      ...model.workers.flatMap(({ stake }, at) =>
        stake === null ? [] : words(this.stakeAccount(at), stake),
      ),
      ...model.workers.map((one, at): Fact => {
        return [`the paid total of ${at}`, page.readBigUInt64LE(PAGE_HEAD + 8 * at), one.paid];
      }),
    ];
  }

  private balance(tokens: PublicKey): bigint {
    return this.cast.chain.data(tokens).readBigUInt64LE(TOKEN_AMOUNT);
  }

  private outside(): bigint {
    const { submitters, workers, treasury } = this.cast;
    const all = [...submitters, ...workers].map(({ tokens }) => tokens);
    return [...all, treasury].reduce((sum, tokens) => sum + this.balance(tokens), 0n);
  }
}

export function placed<Of>(all: readonly Of[], index: number): Of {
  const one = all[index];
  if (one === undefined) throw new RangeError(`nothing at ${index}`);
  return one;
}
