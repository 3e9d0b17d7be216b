import {
  AccountLayout,
  AccountState,
  createAssociatedTokenAccountIdempotentInstruction,
  getAssociatedTokenAddressSync,
} from '@solana/spl-token';
import { PublicKey, type TransactionInstruction } from '@solana/web3.js';
import { claimable } from '@tidemill/core/settlement';
import { paidTotalAt, type WorkerLeaf } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { batchClaim, type SettlementInstructions } from '@tidemill/settlement-client';
import type { Logger } from 'pino';
import type { Db } from '../platform/db/db.js';
import type { EpochTrees, Trees } from '../settlement/trees.js';
import type { ChainNodes } from './chain-nodes.js';
import type { ChainStateStore } from './chain-state.store.js';
import { claimPlan, type PlannedClaim } from './claim-plan.js';
import type { NetworkAccount, NetworkOnChain } from './network-account.js';
import { activeRoot } from './root-standing.js';
import { fits, type Order, type Sender } from './sender.js';
import type { SettlementStop } from './settlement-stop.js';

/** A claim with a proof of 24 levels, and what each further worker adds; measured, with a third to spare. */
const CLAIM_UNITS = 20_000;
const BATCH_UNITS = 2_000;
const ADD_PAGE_UNITS = 30_000;
/** The token program and the one that derives the address. */
const OPEN_UNITS = 60_000;
/** Begun in one turn: the next one begins more, once these are through. */
const MAX_ORDERS = 32;
/** Token accounts looked at with one question. */
const LOOKED_AT = 100;

/** Token accounts that are remembered: about 20 MB of them. */
const MAX_DESTINATIONS = 100_000;

/** When paying somebody is worth it, in base units: the relayer bears the fees and the rent. */
export interface RelayRule {
  /** What a worker is paid for at least. */
  readonly claimFloor: bigint;
  /** And if a token account must be opened for it first. */
  readonly openFloor: bigint;
}

interface Due {
  readonly leaf: WorkerLeaf;
  readonly amount: bigint;
  readonly destination: PublicKey;
}

/** Claims for the workers, who need no SOL (G9). What is missed now is in every later root. */
export class Relayer {
  private readonly destinations = new Map<string, PublicKey>();

  constructor(
    private readonly signer: Signer,
    private readonly rule: RelayRule,
    private readonly nodes: ChainNodes,
    private readonly account: Pick<NetworkAccount, 'read'>,
    private readonly build: SettlementInstructions,
    private readonly sender: Pick<Sender, 'begin'>,
    private readonly trees: Pick<Trees, 'of'>,
    private readonly store: Pick<ChainStateStore, 'paid'>,
    private readonly stop: Pick<SettlementStop, 'isStopped'>,
    private readonly db: Pick<Db, 'transaction'>,
    private readonly log: Logger,
  ) {}

  /** @throws ChainUnavailableError, ChainDisagreementError */
  async turn(): Promise<void> {
    if (await this.stop.isStopped()) return;
    const chain = await this.account.read();
    const root = activeRoot(chain);
    if (root === null) return;
    const trees = await this.trees.of(root.epoch);
    const due = await this.dueIn(trees, chain);
    if (due.length === 0) return;
    const { payable, missing } = await this.sorted(due, chain);
    const orders = [
      ...(await this.pages(due)),
      ...missing
        .filter(({ amount }) => amount >= this.rule.openFloor)
        .map((one) => this.opening(one, chain)),
      ...(await this.claims(root.epoch, trees, payable)),
    ];
    for (const order of orders.slice(0, MAX_ORDERS)) {
      const begun = await this.sender.begin(order);
      if (begun.state === 'refused')
        this.log.warn({ purpose: order.purpose, why: begun.why }, 'the chain would refuse it');
    }
  }

  /** Those whose leaf says more than what is booked as paid, by enough. */
  private async dueIn({ workers }: EpochTrees, chain: NetworkOnChain): Promise<Due[]> {
    const paid = await this.db.transaction((tx) =>
      this.store.paid(
        tx,
        workers.leaves.map(({ index }) => index),
      ),
    );
    return workers.leaves.flatMap((leaf) => {
      const amount = claimable(leaf, paid.get(leaf.index) ?? 0n);
      if (amount < this.rule.claimFloor || amount === 0n) return [];
      return [{ leaf, amount, destination: this.destinationOf(leaf.payee, chain) }];
    });
  }

  /** Worked out once for each payee: it takes about a millisecond. */
  private destinationOf(payee: Uint8Array, { mint, tokenProgram }: NetworkOnChain): PublicKey {
    const name = Buffer.from(payee).toString('base64');
    const known = this.destinations.get(name);
    if (known !== undefined) return known;
    const found = getAssociatedTokenAddressSync(mint, new PublicKey(payee), true, tokenProgram);
    if (this.destinations.size >= MAX_DESTINATIONS) this.destinations.clear();
    this.destinations.set(name, found);
    return found;
  }

  /** Those whose token account can take it, and those who have none. One that is frozen or has another owner is passed over. */
  private async sorted(due: readonly Due[], { mint }: NetworkOnChain) {
    const payable: Due[] = [];
    const missing: Due[] = [];
    for (let at = 0; at < due.length; at += LOOKED_AT) {
      const some = due.slice(at, at + LOOKED_AT);
      const { data } = await this.nodes.any((node) =>
        node.accounts(some.map(({ destination }) => destination)),
      );
      for (const [place, one] of some.entries()) {
        const account = data[place];
        if (account == null) missing.push(one);
        else if (canTake(account, mint, one.leaf.payee)) payable.push(one);
      }
    }
    return { payable, missing };
  }

  /** Pages that the workers' paid totals belong in and that are not there yet. */
  private async pages(due: readonly Due[]): Promise<Order[]> {
    const numbers = [...new Set(due.map(({ leaf }) => paidTotalAt(leaf.index).page))];
    const { data } = await this.nodes.any((node) =>
      node.accounts(numbers.slice(0, LOOKED_AT).map((number) => this.build.addresses.page(number))),
    );
    const missing = numbers.slice(0, LOOKED_AT).filter((_, place) => data[place] == null);
    return Promise.all(
      missing.map(async (number) =>
        this.order(
          `page:${number}`,
          await this.build.addPage(new PublicKey(this.signer.publicKey), number),
          ADD_PAGE_UNITS,
        ),
      ),
    );
  }

  private opening({ leaf, destination }: Due, { mint, tokenProgram }: NetworkOnChain): Order {
    const instruction = createAssociatedTokenAccountIdempotentInstruction(
      new PublicKey(this.signer.publicKey),
      destination,
      new PublicKey(leaf.payee),
      mint,
      tokenProgram,
    );
    return this.order(`account:${destination.toBase58()}`, instruction, OPEN_UNITS);
  }

  private async claims(
    epoch: bigint,
    trees: EpochTrees,
    payable: readonly Due[],
  ): Promise<Order[]> {
    const byIndex = new Map(payable.map((one) => [one.leaf.index, one]));
    const { depth } = trees.workers.tree;
    const orderOf = async (planned: PlannedClaim) =>
      this.order(
        nameOf(epoch, planned),
        await this.claim(planned, trees, byIndex),
        CLAIM_UNITS + BATCH_UNITS * (planned.indexes.length - 1),
      );
    // Whether a subtree fits depends on its size alone, so one of each is tried out.
    const tried = new Map<string, boolean>();
    const all = claimPlan([...byIndex.keys()], depth, () => true);
    for (const whole of all) await this.tryOut(whole, orderOf, tried);
    const plan = claimPlan([...byIndex.keys()], depth, (one) => tried.get(sizeOf(one)) ?? false);
    return Promise.all(plan.slice(0, MAX_ORDERS).map(orderOf));
  }

  private async tryOut(
    planned: PlannedClaim,
    orderOf: (planned: PlannedClaim) => Promise<Order>,
    tried: Map<string, boolean>,
  ): Promise<void> {
    if (planned.height === 0 || tried.has(sizeOf(planned))) return;
    tried.set(sizeOf(planned), fits(await orderOf(planned)));
  }

  private claim(
    { start, height, indexes }: PlannedClaim,
    { workers }: EpochTrees,
    byIndex: ReadonlyMap<number, Due>,
  ): Promise<TransactionInstruction> {
    const destinationOf = (leaf: WorkerLeaf) =>
      indexes.includes(leaf.index) ? (byIndex.get(leaf.index)?.destination ?? null) : null;
    const [first] = indexes;
    const single = first === undefined ? undefined : byIndex.get(first);
    if (height === 0 && single !== undefined)
      return this.build.claim(
        single.leaf,
        workers.tree.proof(single.leaf.index),
        single.destination,
      );
    const claim = batchClaim(workers.tree, workers.leaves, { start, height }, destinationOf);
    if (claim === null) throw new RangeError(`nobody is due at ${start}`);
    return this.build.claimBatch(claim);
  }

  private order(purpose: string, instruction: TransactionInstruction, units: number): Order {
    return { purpose, instructions: [instruction], units, signers: [this.signer] };
  }
}

/** Who is in it belongs to the name: whoever gets a token account later in the epoch is another purpose. */
const nameOf = (epoch: bigint, { start, height, indexes }: PlannedClaim): string =>
  `claim:${epoch}:${start}:${height}:${indexes.map((index) => index - start).join('.')}`;

const sizeOf = ({ height, indexes }: PlannedClaim): string => `${height} ${indexes.length}`;

function canTake(data: Buffer, mint: PublicKey, payee: Uint8Array): boolean {
  if (data.length < AccountLayout.span) return false;
  const account = AccountLayout.decode(data);
  return (
    account.state === AccountState.Initialized &&
    account.mint.equals(mint) &&
    account.owner.equals(new PublicKey(payee))
  );
}
