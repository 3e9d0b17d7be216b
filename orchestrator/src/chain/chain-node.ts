import type { Sighting } from '@tidemill/core/settlement';
import type { PublicKey, VersionedTransaction } from '@solana/web3.js';

/** A node did not answer in time, or answered what nobody can use. The next turn may try again. */
export class ChainUnavailableError extends Error {
  override readonly name = 'ChainUnavailableError';
}

/** Two nodes say different things of the finalized chain. Nothing is done on either's word. */
export class ChainDisagreementError extends Error {
  override readonly name = 'ChainDisagreementError';
}

export interface FreshBlockhash {
  readonly blockhash: string;
  readonly lastValidHeight: bigint;
}

/** Accounts as of one finalized slot; null where there is none. */
export interface AccountsAt {
  readonly slot: bigint;
  readonly data: readonly (Buffer | null)[];
}

/** A finalized transaction that named an address. */
export interface HistoryEntry {
  readonly signature: string;
  readonly slot: bigint;
  readonly hasFailed: boolean;
}

/** One instruction that was executed: one of the transaction itself, or one that a program called. */
export interface ExecutedInstruction {
  /** `2` for the third of the transaction, `2.0` for the first call within it. */
  readonly place: string;
  /** How deep in calls: 1 for one of the transaction itself. */
  readonly depth: number;
  readonly program: string;
  readonly accounts: readonly string[];
  readonly data: Uint8Array;
}

/**
 * One node of the chain. Everything but `sighting` and `send` is of the finalized chain. Every call has a deadline.
 * @throws ChainUnavailableError from each method
 */
export abstract class ChainNode {
  abstract readonly name: string;
  abstract genesisHash(): Promise<string>;
  abstract finalizedSlot(): Promise<bigint>;
  abstract finalizedHeight(): Promise<bigint>;
  /** What its whole history says of each signature, in their order. */
  abstract sightings(signatures: readonly string[]): Promise<Sighting[]>;
  abstract blockhash(): Promise<FreshBlockhash>;
  /** The logs of a transaction that would fail now, or null when it would not. Signatures are not looked at. */
  abstract failureOf(transaction: VersionedTransaction): Promise<readonly string[] | null>;
  /** Hands signed bytes over. An error says nothing of whether they arrived. */
  abstract send(wire: Uint8Array): Promise<void>;
  /** What was paid lately to change these accounts, in millionths of a lamport for each compute unit. */
  abstract recentFees(accounts: readonly PublicKey[]): Promise<number[]>;
  /** At most 100, of a slot not before `from`. */
  abstract accounts(addresses: readonly PublicKey[], from?: bigint): Promise<AccountsAt>;
  /** What named an address before a signature, newest first. */
  abstract history(
    address: PublicKey,
    before: string | null,
    limit: number,
  ): Promise<HistoryEntry[]>;
  /** The instructions of a finalized transaction, each followed by those it called; null when the node does not know it. */
  abstract executed(signature: string): Promise<readonly ExecutedInstruction[] | null>;
}
