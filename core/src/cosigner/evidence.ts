import type { RootStatement, SignedReceipt } from '@tidemill/protocol';
import type { ChainTotals } from '../settlement/solvency.js';
import type { CosignerMemory, SubmitterRow, WorkerRow } from './knowledge.js';
import type { TrailReading } from './trail-reading.js';

/** A charge of an epoch as the orchestrator exports it. */
export interface ChargeRow {
  readonly attempt: string;
  readonly job: string;
  readonly worker: string;
  /** The worker's index. */
  readonly index: number;
  /** The wallet whose deposit pays, in base58; for a charge that fees pay the wallet of its job, or null. */
  readonly submitter: string | null;
  readonly price: bigint;
  readonly fee: bigint;
  readonly payer: 'submitter' | 'fees';
  readonly refunded: boolean;
  readonly receipt: SignedReceipt;
}

/** What the orchestrator says of one epoch. Nothing of it is believed. */
export interface EpochEvidence {
  readonly statement: RootStatement;
  readonly workers: readonly WorkerRow[];
  readonly submitters: readonly SubmitterRow[];
  readonly charges: readonly ChargeRow[];
}

/** A submitter's account on chain. */
export interface ChainSubmitter {
  readonly deposited: bigint;
  readonly withdrawn: bigint;
  readonly openedSlot: bigint;
}

/** What a co-signer has read from the chain by itself. */
export interface ChainEvidence {
  /** The slot it was read at: final. */
  readonly slot: bigint;
  readonly totals: ChainTotals;
  /** The last epoch whose root the program took; of earlier ones the chain cannot say what was true then. */
  readonly lastEpoch: bigint;
  /** By wallet, in base58. */
  readonly submitters: ReadonlyMap<string, ChainSubmitter>;
  /** What each index was paid; nothing for those that are not in a page yet. */
  readonly paidOf: (index: number) => bigint;
}

/** What a co-signer was told by its own operator. */
export interface CosignerTrust {
  /** The name of the network, which receipts and orders carry. */
  readonly name: string;
  readonly network: Uint8Array;
  readonly program: Uint8Array;
  /** The most that may be taken out of a price, in ten-thousandths. */
  readonly maxFeeBps: number;
}

/** What a co-signer needs to judge an epoch: what it knows, what it was shown, and what it has read elsewhere. */
export interface Judgement {
  readonly memory: CosignerMemory;
  readonly evidence: EpochEvidence;
  /** The trail, read from where the memory ends to where the statement says. */
  readonly trail: TrailReading;
  /** Attempts that the trail refunds behind there: balances are read a moment after the trail is, so they may be no longer held. */
  readonly refundedSince: ReadonlySet<string>;
  readonly chain: ChainEvidence;
  readonly trust: CosignerTrust;
}
