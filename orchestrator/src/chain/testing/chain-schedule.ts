import { Keypair, PublicKey } from '@solana/web3.js';
import { transactionStep, vaultOf } from '@tidemill/core/settlement';
import {
  rootStatementBytes,
  SettlementTree,
  type SettlementTotals,
  type WorkerLeaf,
  workerLeafBytes,
} from '@tidemill/protocol';
import { nodeSha256, type Signer } from '@tidemill/protocol/node';
import {
  networkAddress,
  SettlementAddresses,
  SettlementInstructions,
  type SettlementProgram,
} from '@tidemill/settlement-client';
import { pino } from 'pino';
import type { Clock } from '../../platform/clock.js';
import { ChainNodes } from '../chain-nodes.js';
import { NetworkAccount } from '../network-account.js';
import { Observer } from '../observer.js';
import { Poster } from '../poster.js';
import { Reconciler } from '../reconciler.js';
import { Relayer } from '../relayer.js';
import { Sender } from '../sender.js';
import { SettlementStop } from '../settlement-stop.js';
import type { SignedTransaction, TransactionsStore } from '../transactions.store.js';
import { MemoryLedger } from './memory-ledger.js';
import { MemoryTransactionsStore } from './memory-transactions.store.js';
import type { Random } from './random.js';
import type { ScriptedCluster } from './scripted-cluster.js';
import { LIES, NO_FAULTS, ScriptedNode } from './scripted-node.js';
import type { TestTokens } from './test-tokens.js';

/** The process has ended here. */
class Crash extends Error {
  override readonly name = 'Crash';
}

const LOG = pino({ level: 'silent' });
const FEES = { percentile: 75, floor: 0, ceiling: 1_000_000 };
const RULE = { claimFloor: 1n, openFloor: 1n };
const FAULTY_TURNS = 8;
/** Turns without a fault after which everything has to be through. */
const PATIENCE = 60;
const CHALLENGE_SLOTS = 10n;

/** What one schedule did. */
export interface ScheduleReport {
  readonly faults: number;
  readonly crashes: number;
  readonly signed: number;
}

/** How the sender decides; a planted fault takes the place of the rule. */
export type Rule = typeof transactionStep;

/**
 * One network's whole settlement under faults: a root is posted and its leaves are claimed while the chain, the nodes and the process
 * do what they can to go wrong; then the faults end and it has to come right. Throws what was broken.
 */
export class ChainSchedule {
  private readonly initializer: Signer;
  private readonly authority: Signer;
  private readonly relayer: Signer;
  private readonly addresses: SettlementAddresses;
  private readonly build: SettlementInstructions;
  private readonly ledger: MemoryLedger;
  private readonly store: WatchedStore;
  private readonly payees: { readonly payee: Uint8Array; readonly earned: bigint }[];
  private deposited = 0n;
  private faults = 0;
  private crashes = 0;
  /** In so many steps the process ends. */
  private untilCrash = Infinity;

  constructor(
    private readonly cluster: ScriptedCluster,
    private readonly random: Random,
    private readonly program: SettlementProgram,
    private readonly tokens: TestTokens,
    private readonly rule: Rule = transactionStep,
  ) {
    [this.initializer, this.authority, this.relayer] = [
      tokens.signer(),
      tokens.signer(),
      tokens.signer(),
    ];
    const genesisHash = nodeSha256(this.initializer.publicKey);
    const address = networkAddress(program.programId, keyOf(this.initializer), genesisHash);
    this.addresses = new SettlementAddresses(program.programId, address);
    this.build = new SettlementInstructions(program, this.addresses);
    this.ledger = new MemoryLedger(address.toBytes());
    this.store = new WatchedStore(cluster);
    this.payees = Array.from({ length: 1 + random.below(3) }, () => ({
      payee: Keypair.generate().publicKey.toBytes(),
      earned: BigInt(1 + random.below(1_000)),
    }));
  }

  async run(): Promise<ScheduleReport> {
    await this.open();
    this.sealFirst();
    let running = this.start();
    this.cluster.weather = this.badWeather();
    for (let turn = 0; turn < FAULTY_TURNS; turn += 1) {
      if (this.random.chance(0.4)) this.untilCrash = this.random.below(60);
      running = await this.turn(running);
      if (this.random.chance(0.1)) await this.deposit(BigInt(1 + this.random.below(500)));
      this.cluster.pass(1 + this.random.below(60));
    }
    this.untilCrash = Infinity;
    this.cluster.weather = { lost: 0, undone: 0, late: 0, minimumFee: 0 };
    for (const node of running.nodes) node.faults = NO_FAULTS;
    for (let turn = 0; turn < PATIENCE && !this.isThrough(); turn += 1) {
      running = await this.turn(running);
      this.cluster.pass(1 + this.random.below(60));
    }
    this.check();
    return { faults: this.faults, crashes: this.crashes, signed: this.store.kept.length };
  }

  private async open(): Promise<void> {
    const { tokens, build } = this;
    const cosigners = tokens.cosigners.map((key) => keyOf(key));
    for (const key of [this.initializer, this.authority, this.relayer]) tokens.fund(keyOf(key));
    tokens.must(
      [
        await build.initialize({
          initializer: keyOf(this.initializer),
          genesisHash: nodeSha256(this.initializer.publicKey),
          mint: tokens.mint,
          authority: keyOf(this.authority),
          releaser: tokens.others[0].publicKey,
          cosigners: { threshold: 2, keys: cosigners },
          admins: { threshold: 1, keys: [tokens.others[1].publicKey, tokens.others[2].publicKey] },
          guardians: { threshold: 1, keys: [tokens.others[3].publicKey] },
          parameters: {
            challengeSlots: CHALLENGE_SLOTS,
            unbondingSlots: 60n,
            timelockSlots: 20n,
            approvalSlots: 30n,
            staleSlots: 100n,
            accountOpeningFee: 0n,
          },
          caps: {
            windowSlots: 50n,
            growthLimit: 10n ** 12n,
            relativeFloor: 10n ** 9n,
            growthBps: 5_000n,
          },
        }),
      ],
      this.initializer,
    );
    this.cluster.remember(this.addresses.network);
    await this.deposit(10_000n);
  }

  private async deposit(amount: bigint): Promise<void> {
    this.tokens.must(
      [
        await this.build.deposit({
          depositor: keyOf(this.tokens.holder),
          submitter: keyOf(this.tokens.holder),
          source: this.tokens.source,
          amount,
        }),
      ],
      this.tokens.holder,
    );
    this.deposited += amount;
    this.cluster.note();
  }

  private sealFirst(): void {
    const leaves = this.payees.map(({ payee, earned }, index): WorkerLeaf => ({
      index,
      payee,
      lifetimeEarned: earned,
      lifetimeSlashed: 0n,
    }));
    const network = this.addresses.network.toBytes();
    const workers = new SettlementTree(
      leaves.map((leaf) => nodeSha256(workerLeafBytes(network, leaf))),
      nodeSha256,
    );
    const submitters = new SettlementTree([], nodeSha256);
    const earned = this.payees.reduce((sum, one) => sum + one.earned, 0n);
    const totals: SettlementTotals = {
      spent: earned,
      earned,
      slashed: 0n,
      refunded: 0n,
      fees: 0n,
      feesGiven: 0n,
      dust: 0n,
    };
    const statement = {
      network,
      program: this.program.programId.toBytes(),
      epoch: 1n,
      sealedSlot: this.cluster.slot,
      workerRoot: workers.root,
      workerDepth: workers.depth,
      submitterRoot: submitters.root,
      submitterDepth: submitters.depth,
      totals,
      trailRoot: new Uint8Array(32),
      trailSize: 1n,
      registryRoot: new Uint8Array(32),
    };
    const bytes = rootStatementBytes(statement);
    const attestations = this.tokens.cosigners.map((key) => ({
      cosigner: key.publicKey,
      signature: key.sign(bytes),
    }));
    this.ledger.seal(statement, attestations, leaves);
  }

  /** A process: everything but what is kept is new. */
  private start() {
    const isOver = { yes: false };
    const step = (): void => {
      if (isOver.yes) throw new Crash('it has ended already');
      this.untilCrash -= 1;
      if (this.untilCrash >= 0) return;
      isOver.yes = true;
      this.untilCrash = Infinity;
      throw new Crash('here');
    };
    const nodes = ['first', 'second'].map(
      (name) => new ScriptedNode(name, this.cluster, this.random, step),
    );
    const db = this.ledger.db(step);
    const chainNodes = new ChainNodes(nodes, this.cluster.running.chain.genesis, LOG);
    const account = new NetworkAccount(chainNodes, this.program, this.addresses);
    const { store, books, epochs, underWay, trees, trail } = this.ledger;
    const sender = new Sender(
      this.store.of(step),
      chainNodes,
      FEES,
      new CountingClock(),
      LOG,
      this.rule,
    );
    const stop = new SettlementStop(store, db, trail, LOG);
    const observer = new Observer(chainNodes, this.program, this.addresses, store, books, db);
    const { build } = this;
    return {
      isOver,
      nodes,
      turns: [
        () => sender.turn(),
        () =>
          new Poster(
            this.authority,
            2,
            account,
            build,
            sender,
            epochs,
            underWay,
            stop,
            db,
            LOG,
          ).turn(),
        () =>
          new Relayer(
            this.relayer,
            RULE,
            chainNodes,
            account,
            build,
            sender,
            trees,
            store,
            stop,
            db,
            LOG,
          ).turn(),
        () => observer.turn(),
        () => new Reconciler(account, books, store, observer, stop, db, LOG).turn(),
      ],
    };
  }

  private async turn(running: ReturnType<ChainSchedule['start']>) {
    this.unsettle(running.nodes);
    for (const turn of running.turns) {
      try {
        await turn();
      } catch (cause) {
        if (!EXPECTED.has(cause instanceof Error ? cause.name : '')) throw cause;
        this.faults += 1;
      }
      if (running.isOver.yes) {
        this.crashes += 1;
        const next = this.start();
        for (const [at, node] of next.nodes.entries())
          node.faults = running.nodes[at]?.faults ?? NO_FAULTS;
        return next;
      }
    }
    return running;
  }

  /** At most one node lies, and it is the same one all the time. */
  private unsettle(nodes: readonly ScriptedNode[]): void {
    if (this.untilCrash === Infinity && this.cluster.weather.lost === 0) return;
    for (const [at, node] of nodes.entries())
      node.faults = {
        timeout: this.random.next() * 0.15,
        timeoutAfter: this.random.next() * 0.15,
        rateLimit: this.random.next() * 0.1,
        lag: this.random.chance(0.3) ? this.random.below(80) : 0,
        lie: at === 0 && this.random.chance(0.3) ? this.random.oneOf(LIES) : null,
      };
  }

  private badWeather() {
    return {
      lost: 0.05 + this.random.next() * 0.4,
      undone: this.random.next() * 0.3,
      late: this.random.next() * 0.5,
      minimumFee: this.random.chance(0.3) ? this.random.below(8) : 0,
    };
  }

  private isThrough(): boolean {
    const { rows } = this.ledger;
    return (
      rows.epochs.get(1n)?.state === 'final' &&
      rows.paid === this.earned() &&
      rows.deposited === this.deposited &&
      rows.reconciled !== null &&
      this.store.kept.every(({ state }) => state !== 'signed')
    );
  }

  private readonly earned = (): bigint => this.payees.reduce((sum, { earned }) => sum + earned, 0n);

  private check(): void {
    const { rows } = this.ledger;
    must(rows.stopped === null, `settlement stopped: ${rows.stopped}`);
    must(rows.epochs.get(1n)?.state === 'final', 'the epoch did not become final');
    for (const { payee, earned } of this.payees) {
      const has = this.tokens.balanceOf(new PublicKey(payee));
      must(has === earned, `a worker that earned ${earned} has ${has}`);
    }
    must(rows.deposited === this.deposited, `deposits: ${rows.deposited} of ${this.deposited}`);
    const vault = this.tokens.amountIn(this.addresses.vault);
    must(vault === vaultOf(rows), `the vault holds ${vault}, the ledger says ${vaultOf(rows)}`);
    must(rows.reconciled !== null, 'the books were never compared');
    this.store.check();
  }
}

const EXPECTED = new Set(['Crash', 'ChainUnavailableError', 'ChainDisagreementError']);

const keyOf = (signer: Signer): PublicKey => new PublicKey(signer.publicKey);

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Resends are never held back by time. */
class CountingClock implements Clock {
  private ms = 0;
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return (this.ms += 10_000);
  }
}

async function stepped<T>(step: () => void, work: () => Promise<T>): Promise<T> {
  step();
  const result = await work();
  step();
  return result;
}

/** Keeps transactions, and looks whether what was given up can still land. */
class WatchedStore extends MemoryTransactionsStore {
  constructor(private readonly cluster: ScriptedCluster) {
    super();
  }

  /** As one process has it, which may end at every step. */
  of(step: () => void): TransactionsStore {
    return {
      add: (transaction) => stepped(step, () => this.add(transaction)),
      end: (signature, ending) => stepped(step, () => this.end(signature, ending)),
      live: (limit) => this.live(limit),
      history: (purpose) => this.history(purpose),
    };
  }

  override add(transaction: SignedTransaction): Promise<boolean> {
    for (const before of this.kept) {
      if (before.purpose !== transaction.purpose || before.state === 'failed') continue;
      if (before.signature === transaction.signature) continue;
      if (before.state === 'signed') continue;
      must(
        !this.cluster.hasLanded(before.signature),
        `${before.purpose} was signed again after it had happened`,
      );
      must(
        !this.cluster.couldLand(before.wire),
        `${before.purpose} was signed again while it could land`,
      );
    }
    return super.add(transaction);
  }

  check(): void {
    const landed = this.kept.filter(({ signature }) => this.cluster.hasLanded(signature));
    const purposes = landed.map(({ purpose }) => purpose);
    must(new Set(purposes).size === purposes.length, 'a purpose has happened twice');
    for (const { purpose, state, signature } of this.kept)
      must(
        (state === 'done') === this.cluster.hasLanded(signature),
        `${purpose} is ${state}, which the chain does not know`,
      );
  }
}
