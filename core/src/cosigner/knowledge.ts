import { CHAIN_START, type SettlementTotals } from '@tidemill/protocol';
import { NO_TOTALS } from '../settlement/totals.js';

/** What the trail says was charged for an attempt. */
export interface Booked {
  readonly job: string;
  readonly worker: string;
  readonly price: bigint;
  readonly fee: bigint;
  readonly payer: 'submitter' | 'fees';
  readonly refunded: boolean;
}

/** What the trail says of a worker: every key it has had, the newest last, and where it is paid. */
export interface KnownWorker {
  readonly keys: readonly string[];
  readonly payout: string;
  /** A change that its owner has signed and that waits. */
  readonly ordered: { readonly payout: string; readonly atMs: number } | null;
}

export interface KnownJob {
  readonly account: string;
  readonly hold: bigint;
}

/** An accepted result, with the receipt that the trail names for it, if it does. */
export interface KnownVerdict {
  readonly payer: 'submitter' | 'fees';
  readonly receipt: string | null;
}

/** What a co-signer has taken from the trail: enough to go on from its size, and to check what is not in an epoch yet. */
export interface TrailKnowledge {
  readonly size: number;
  readonly chain: Uint8Array;
  /** Of the tree over the events: with the size, all there is to go on from. */
  readonly frontier: readonly Uint8Array[];
  /** The latest time of an event. */
  readonly atMs: number;
  readonly workers: ReadonlyMap<string, KnownWorker>;
  readonly jobs: ReadonlyMap<string, KnownJob>;
  /** Of attempts that have no verdict yet. */
  readonly receipts: ReadonlyMap<string, string>;
  readonly verdicts: ReadonlyMap<string, KnownVerdict>;
  /** Charges that are in no epoch yet, by attempt. */
  readonly booked: ReadonlyMap<string, Booked>;
  /** Attempts that are in an epoch, as long as the trail could name them again. */
  readonly joined: ReadonlySet<string>;
}

/** A worker's leaf as it is exported, addresses in base58. */
export interface WorkerRow {
  readonly index: number;
  readonly worker: string;
  readonly payee: string;
  readonly lifetimeEarned: bigint;
  readonly lifetimeSlashed: bigint;
}

/** A submitter's leaf as it is exported. */
export interface SubmitterRow {
  readonly index: number;
  /** The wallet, in base58. */
  readonly submitter: string;
  readonly lifetimeSpent: bigint;
  readonly lifetimeRefunded: bigint;
  readonly held: bigint;
}

/** All that a co-signer must never forget. */
export interface CosignerMemory {
  readonly trail: TrailKnowledge;
  /** The last epoch that was found to be right; 0 before the first. */
  readonly epoch: bigint;
  readonly sealedSlot: bigint;
  readonly totals: SettlementTotals;
  readonly workers: readonly WorkerRow[];
  readonly submitters: readonly SubmitterRow[];
  /** Which wallet an account has spent for. */
  readonly wallets: ReadonlyMap<string, string>;
  /** What jobs with open charges were charged in epochs so far, out of their holds. */
  readonly charged: ReadonlyMap<string, bigint>;
  /** Refunds that were shown behind the last statement's part of the trail: the next one has to contain them. */
  readonly promised: ReadonlySet<string>;
  /** The hash of the statement that was signed for each epoch, in hex. */
  readonly signed: ReadonlyMap<string, string>;
}

export const NOTHING_KNOWN: CosignerMemory = {
  trail: {
    size: 0,
    chain: CHAIN_START,
    frontier: [],
    atMs: 0,
    workers: new Map(),
    jobs: new Map(),
    receipts: new Map(),
    verdicts: new Map(),
    booked: new Map(),
    joined: new Set(),
  },
  epoch: 0n,
  sealedSlot: 0n,
  totals: NO_TOTALS,
  workers: [],
  submitters: [],
  wallets: new Map(),
  charged: new Map(),
  promised: new Set(),
  signed: new Map(),
};
