import {
  claimable,
  faultOf,
  isSolvent,
  NO_TOTALS,
  vaultOf,
  withdrawable,
} from '@tidemill/core/settlement';
import {
  type RootStatement,
  rootStatementBytes,
  settlementRootFrom,
  type SettlementTotals,
  submitterLeafBytes,
  workerLeafBytes,
  type SubmitterLeaf,
  type WorkerLeaf,
} from '@tidemill/protocol';
import type { NetworkCaps } from '../../action.js';
import type { Refusal } from '../../refusal.js';
import { sha256, TIMES } from '../network.js';

/** What an instruction comes to: done, refused by the program for a reason, or stopped by the token program. */
export type Verdict = Refusal['name'] | 'TokenProgram' | null;

interface Root {
  readonly statement: RootStatement;
  readonly activationSlot: bigint;
}

export interface Submitter {
  tokens: bigint;
  account: {
    deposited: bigint;
    withdrawn: bigint;
    requested: bigint;
    requestedSlot: bigint;
    openedSlot: bigint;
  } | null;
}

export interface Worker {
  tokens: bigint;
  paid: bigint;
  stake: { staked: bigint; unbonding: bigint; unbondedSlot: bigint; slashed: bigint } | null;
}

export type ProposedAction =
  | { readonly kind: 'unpause' }
  | { readonly kind: 'slash'; readonly worker: number; readonly amount: bigint }
  | {
      readonly kind: 'treasury';
      readonly source: 'fees' | 'slashedStake';
      readonly amount: bigint;
    };

interface Proposal {
  readonly action: ProposedAction;
  readonly proposer: number;
  readonly proposedSlot: bigint;
  readonly approvals: Set<number>;
  readySlot: bigint;
  closed: boolean;
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/**
 * What the program should do, in TypeScript: each method says what an instruction comes to and, when it is done, does it to the state
 * here. Money follows `core/src/settlement`, proofs follow `protocol`.
 */
export class SettlementModel {
  slot = 0n;
  paused = false;
  chain = { deposited: 0n, withdrawn: 0n, paid: 0n, feesWithdrawn: 0n };
  stakes = { staked: 0n, unbonding: 0n, slashed: 0n };
  window = { start: 0n, base: 0n };
  lastEpoch = 0n;
  treasury = 0n;
  readonly proposals: Proposal[] = [];
  private active: Root | null = null;
  private pending: Root | null = null;

  constructor(
    private readonly network: Uint8Array,
    readonly submitters: readonly Submitter[],
    readonly workers: readonly Worker[],
    private readonly caps: NetworkCaps,
  ) {}

  /** The root that counts now: a pending one does from its slot on, whoever looks. */
  get activeRoot(): Root | null {
    this.turn();
    return this.active;
  }

  get pendingRoot(): Root | null {
    this.turn();
    return this.pending;
  }

  deposit(from: number, to: number, amount: bigint): Verdict {
    const payer = this.submitter(from);
    if (this.paused) return 'Paused';
    if (amount === 0n) return 'ZeroAmount';
    if (payer.tokens < amount) return 'TokenProgram';
    const credit = this.submitter(to);
    credit.account ??= {
      deposited: 0n,
      withdrawn: 0n,
      requested: 0n,
      requestedSlot: 0n,
      openedSlot: this.slot,
    };
    payer.tokens -= amount;
    credit.account.deposited += amount;
    this.chain.deposited += amount;
    return null;
  }

  requestWithdrawal(by: number, amount: bigint): Verdict {
    const { account } = this.submitter(by);
    if (account === null) return 'WrongAccount';
    account.requested = amount;
    account.requestedSlot = this.slot;
    return null;
  }

  withdraw(of: number, leaf: SubmitterLeaf | null, proof: readonly Uint8Array[]): Verdict {
    const submitter = this.submitter(of);
    const { account } = submitter;
    if (account === null) return 'WrongAccount';
    if (account.requested === 0n) return 'NothingRequested';
    const root = this.activeRoot;
    const activation = root?.activationSlot ?? 0n;
    const since = account.requestedSlot > activation ? account.requestedSlot : activation;
    const isStale = this.slot >= since + TIMES.staleSlots;
    const isKnown = root !== null && root.statement.sealedSlot >= account.requestedSlot;
    if (!isKnown && !isStale) return 'TooEarly';
    if (leaf === null) {
      if (account.openedSlot <= (root?.statement.sealedSlot ?? 0n)) return 'BadProof';
    } else {
      if (root === null) return 'NoActiveRoot';
      const { submitterDepth, submitterRoot } = root.statement;
      const hash = sha256(submitterLeafBytes(this.network, leaf));
      if (!isUnder(hash, leaf.index, proof, { root: submitterRoot, depth: submitterDepth }))
        return 'BadProof';
    }
    const said = leaf ?? { lifetimeSpent: 0n, lifetimeRefunded: 0n, held: 0n };
    const left = withdrawable({ ...said, held: isStale ? 0n : said.held }, account);
    const amount = least(left, account.requested);
    if (amount === 0n) return 'NothingToWithdraw';
    if (amount > vaultOf(this.chain)) return 'TokenProgram';
    account.withdrawn += amount;
    account.requested = 0n;
    this.chain.withdrawn += amount;
    submitter.tokens += amount;
    return null;
  }

  postRoot(statement: RootStatement, cosigners: number): Verdict {
    if (this.paused) return 'Paused';
    const [active, pending] = [this.activeRoot, this.pendingRoot];
    const bytes = rootStatementBytes(statement);
    const isPosted = (root: Root | null) =>
      root !== null && Buffer.from(rootStatementBytes(root.statement)).equals(bytes);
    if (isPosted(pending) || isPosted(active)) return null;
    if (pending !== null) return 'RootPending';
    const before = active?.statement;
    if (statement.epoch !== this.lastEpoch + 1n) return 'WrongEpoch';
    if (statement.sealedSlot < (before?.sealedSlot ?? 0n) || statement.sealedSlot > this.slot)
      return 'WrongSealedSlot';
    const fault = faultOf(statement.totals, before?.totals ?? NO_TOTALS);
    if (fault?.includes(' fell ') === true) return 'TotalsFell';
    if (statement.trailSize < (before?.trailSize ?? 0n)) return 'TotalsFell';
    if (fault !== null) return 'SumsDisagree';
    if (!isSolvent(statement.totals, this.chain)) return 'Insolvent';
    const window = this.windowNow(before?.totals ?? NO_TOTALS);
    const growth = statement.totals.earned + statement.totals.refunded - window.base;
    if (growth > growthLimit(window.base, this.caps)) return 'GrowthLimit';
    if (cosigners < 2) return 'TooFewCosigners';
    this.window = window;
    this.lastEpoch = statement.epoch;
    this.pending = { statement, activationSlot: this.slot + TIMES.challengeSlots };
    return null;
  }

  voidRoot(): Verdict {
    if (this.pendingRoot === null) return 'NoPendingRoot';
    this.pending = null;
    return null;
  }

  /** With the releaser's word that the index has earned `released` by an epoch. */
  voidRootWithProof(
    { epoch, index, released }: { epoch: bigint; index: number; released: bigint },
    leaf: WorkerLeaf | null,
    proof: readonly Uint8Array[],
  ): Verdict {
    const root = this.pendingRoot?.statement;
    if (root === undefined) return 'NoPendingRoot';
    if (epoch > root.epoch) return 'WrongEpoch';
    const hash = leaf === null ? sha256(Uint8Array.of(3)) : this.workerHash({ ...leaf, index });
    if (!isUnder(hash, index, proof, { root: root.workerRoot, depth: root.workerDepth }))
      return 'BadProof';
    if ((leaf?.lifetimeEarned ?? 0n) >= released) return 'NotBelowReleased';
    this.pending = null;
    return null;
  }

  claim(leaf: WorkerLeaf, proof: readonly Uint8Array[]): Verdict {
    const root = this.activeRoot?.statement;
    if (root === undefined) return 'NoActiveRoot';
    const under = { root: root.workerRoot, depth: root.workerDepth };
    if (!isUnder(this.workerHash(leaf), leaf.index, proof, under)) return 'BadProof';
    return this.pay([leaf]);
  }

  /** Of a subtree with this root; those of `leaves` are paid. */
  claimBatch(
    leaves: readonly WorkerLeaf[],
    subtree: { root: Uint8Array; place: number; height: number },
    proof: readonly Uint8Array[],
  ): Verdict {
    const root = this.activeRoot?.statement;
    if (root === undefined) return 'NoActiveRoot';
    const under = { root: root.workerRoot, depth: root.workerDepth - subtree.height };
    if (!isUnder(subtree.root, subtree.place, proof, under)) return 'BadProof';
    return this.pay(leaves);
  }

  stake(by: number, amount: bigint): Verdict {
    const worker = this.worker(by);
    if (this.paused) return 'Paused';
    if (amount === 0n) return 'ZeroAmount';
    if (worker.tokens < amount) return 'TokenProgram';
    worker.stake ??= { staked: 0n, unbonding: 0n, unbondedSlot: 0n, slashed: 0n };
    worker.tokens -= amount;
    worker.stake.staked += amount;
    this.stakes.staked += amount;
    return null;
  }

  requestUnstake(by: number, amount: bigint): Verdict {
    const { stake } = this.worker(by);
    if (stake === null) return 'WrongAccount';
    if (amount === 0n) return 'ZeroAmount';
    if (stake.staked < amount) return 'InsufficientStake';
    stake.staked -= amount;
    stake.unbonding += amount;
    stake.unbondedSlot = this.slot + TIMES.unbondingSlots;
    this.stakes.staked -= amount;
    this.stakes.unbonding += amount;
    return null;
  }

  withdrawStake(by: number): Verdict {
    const worker = this.worker(by);
    const { stake } = worker;
    if (stake === null) return 'WrongAccount';
    if (stake.unbonding === 0n) return 'NothingToWithdraw';
    if (this.slot < stake.unbondedSlot) return 'TooEarly';
    worker.tokens += stake.unbonding;
    this.stakes.unbonding -= stake.unbonding;
    stake.unbonding = 0n;
    return null;
  }

  propose(by: number, action: ProposedAction): Verdict {
    if ('amount' in action && action.amount === 0n) return 'ZeroAmount';
    this.proposals.push({
      action,
      proposer: by,
      proposedSlot: this.slot,
      approvals: new Set(),
      readySlot: 0n,
      closed: false,
    });
    return null;
  }

  approve(by: number, number: number): Verdict {
    const proposal = this.proposals[number];
    if (proposal === undefined || proposal.closed) return 'WrongAccount';
    if (proposal.proposer === by) return 'OwnProposal';
    if (this.slot >= proposal.proposedSlot + TIMES.approvalSlots) return 'Expired';
    if (proposal.approvals.has(by)) return 'AlreadyApproved';
    proposal.approvals.add(by);
    if (proposal.approvals.size >= 2 && proposal.readySlot === 0n)
      proposal.readySlot = this.slot + TIMES.timelockSlots;
    return null;
  }

  /** By the instruction for one kind of action. */
  execute(
    number: number,
    by: 'unpause' | 'slash' | 'treasury',
    asked: 'fees' | 'slashedStake',
  ): Verdict {
    const proposal = this.proposals[number];
    if (proposal === undefined || proposal.closed) return 'WrongAccount';
    if (proposal.readySlot === 0n) return 'NotApproved';
    if (this.slot < proposal.readySlot) return 'TooEarly';
    if (this.slot >= proposal.readySlot + TIMES.approvalSlots) return 'Expired';
    const { action } = proposal;
    if (action.kind !== by) return 'WrongAction';
    const verdict = this.carryOut(action, asked);
    if (verdict === null) proposal.closed = true;
    return verdict;
  }

  pause(): Verdict {
    this.paused = true;
    return null;
  }

  private turn(): void {
    if (this.pending === null || this.slot < this.pending.activationSlot) return;
    this.active = this.pending;
    this.pending = null;
  }

  private carryOut(action: ProposedAction, asked: 'fees' | 'slashedStake'): Verdict {
    if (action.kind === 'unpause') this.paused = false;
    if (action.kind === 'slash') {
      const { stake } = this.worker(action.worker);
      if (stake === null) return 'WrongAccount';
      const unbonding = least(action.amount, stake.unbonding);
      const staked = least(action.amount - unbonding, stake.staked);
      stake.unbonding -= unbonding;
      stake.staked -= staked;
      stake.slashed += unbonding + staked;
      this.stakes.unbonding -= unbonding;
      this.stakes.staked -= staked;
      this.stakes.slashed += unbonding + staked;
    }
    if (action.kind === 'treasury') {
      if (asked !== action.source) return 'WrongAddress';
      const { fees, feesGiven } = this.activeRoot?.statement.totals ?? NO_TOTALS;
      const { feesWithdrawn } = this.chain;
      const there =
        action.source === 'fees' ? fees - feesGiven - feesWithdrawn : this.stakes.slashed;
      if (action.amount > there) return 'NothingToWithdraw';
      if (action.source === 'fees') this.chain.feesWithdrawn += action.amount;
      else this.stakes.slashed -= action.amount;
      this.treasury += action.amount;
    }
    return null;
  }

  private pay(leaves: readonly WorkerLeaf[]): Verdict {
    const dues = leaves.map((leaf) => claimable(leaf, this.worker(leaf.index).paid));
    const sum = dues.reduce((all, due) => all + due, 0n);
    if (sum > vaultOf(this.chain)) return 'TokenProgram';
    leaves.forEach(({ index }, at) => {
      const worker = this.worker(index);
      worker.paid += dues[at] ?? 0n;
      worker.tokens += dues[at] ?? 0n;
    });
    this.chain.paid += sum;
    return null;
  }

  private windowNow(totals: SettlementTotals) {
    const over = this.slot >= this.window.start + this.caps.windowSlots;
    return over ? { start: this.slot, base: totals.earned + totals.refunded } : this.window;
  }

  private workerHash(leaf: WorkerLeaf): Uint8Array {
    return sha256(workerLeafBytes(this.network, leaf));
  }

  private submitter(index: number): Submitter {
    const one = this.submitters[index];
    if (one === undefined) throw new RangeError(`no submitter ${index}`);
    return one;
  }

  private worker(index: number): Worker {
    const one = this.workers[index];
    if (one === undefined) throw new RangeError(`no worker ${index}`);
    return one;
  }
}

/** The most that may be earned and refunded in a window that began with `base`. */
function growthLimit(base: bigint, caps: NetworkCaps): bigint {
  const relative = (base * caps.growthBps) / 10_000n;
  return least(caps.growthLimit, relative > caps.relativeFloor ? relative : caps.relativeFloor);
}

function isUnder(
  hash: Uint8Array,
  place: number,
  proof: readonly Uint8Array[],
  { root, depth }: { root: Uint8Array; depth: number },
): boolean {
  if (proof.length !== depth) return false;
  const reached = settlementRootFrom(hash, place, proof, sha256);
  return reached !== null && Buffer.from(reached).equals(root);
}
