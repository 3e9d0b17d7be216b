import type { PublicKey } from '@solana/web3.js';
import type { SettlementAddresses, SettlementProgram } from '@tidemill/settlement-client';
import { ChainError } from './chain-error.js';
import type { Rpc } from './rpc.js';

/** A number of 64 bits as Anchor decodes it. */
export interface Amount {
  toString(): string;
}

export const units = (amount: Amount): bigint => BigInt(amount.toString());

/** A root as the program keeps it. */
export interface RootOnChain {
  readonly epoch: bigint;
  readonly sealedSlot: bigint;
  readonly activationSlot: bigint;
  readonly workerRoot: Uint8Array;
  readonly workerDepth: number;
  readonly submitterRoot: Uint8Array;
  readonly submitterDepth: number;
  /** Lifetime sums, in base units. */
  readonly earned: bigint;
  readonly slashed: bigint;
  readonly spent: bigint;
  readonly refunded: bigint;
}

export interface NetworkOnChain {
  readonly mint: PublicKey;
  readonly tokenProgram: PublicKey;
  readonly isPaused: boolean;
  readonly proposals: bigint;
  /** How many slots a root waits before it is active. */
  readonly challengeSlots: bigint;
  readonly unbondingSlots: bigint;
  readonly adminThreshold: number;
  /** The root that claims are checked against at this slot; null before the first. */
  readonly active: RootOnChain | null;
  /** A root whose window has not passed; null when there is none. */
  readonly pending: RootOnChain | null;
  readonly slot: bigint;
}

interface DecodedRoot {
  readonly epoch: Amount;
  readonly sealedSlot: Amount;
  readonly activationSlot: Amount;
  readonly workerRoot: readonly number[];
  readonly submitterRoot: readonly number[];
  readonly workerDepth: number;
  readonly submitterDepth: number;
  readonly totals: Readonly<Record<'earned' | 'slashed' | 'spent' | 'refunded', Amount>>;
}

interface DecodedNetwork {
  readonly mint: PublicKey;
  readonly tokenProgram: PublicKey;
  readonly paused: number;
  readonly proposals: Amount;
  readonly parameters: { readonly challengeSlots: Amount; readonly unbondingSlots: Amount };
  readonly admins: { readonly threshold: number };
  readonly active: DecodedRoot;
  readonly pending: DecodedRoot;
}

/** Reads the account of a network. @throws ChainError NO_NETWORK or RPC_UNREACHABLE */
export async function readNetwork(
  rpc: Rpc,
  program: SettlementProgram,
  { network }: SettlementAddresses,
): Promise<NetworkOnChain> {
  const slot = BigInt(await rpc.ask((node) => node.getSlot('confirmed')));
  const account = await rpc.ask((node) => node.getAccountInfo(network));
  if (account === null || !account.owner.equals(program.programId))
    throw new ChainError(
      'NO_NETWORK',
      `There is no network of ${program.programId.toBase58()} at ${network.toBase58()}.`,
      'Check the addresses, and that the node is of the right cluster.',
    );
  const raw = program.coder.accounts.decode<DecodedNetwork>('network', account.data);
  const pending = rootOf(raw.pending);
  // The program makes a pending root the active one when it is next asked; until then it only counts as such.
  const isActive = pending !== null && pending.activationSlot <= slot;
  return {
    mint: raw.mint,
    tokenProgram: raw.tokenProgram,
    isPaused: raw.paused !== 0,
    proposals: units(raw.proposals),
    challengeSlots: units(raw.parameters.challengeSlots),
    unbondingSlots: units(raw.parameters.unbondingSlots),
    adminThreshold: raw.admins.threshold,
    active: isActive ? pending : rootOf(raw.active),
    pending: isActive ? null : pending,
    slot,
  };
}

function rootOf(raw: DecodedRoot): RootOnChain | null {
  const epoch = units(raw.epoch);
  if (epoch === 0n) return null;
  return {
    epoch,
    sealedSlot: units(raw.sealedSlot),
    activationSlot: units(raw.activationSlot),
    workerRoot: Uint8Array.from(raw.workerRoot),
    workerDepth: raw.workerDepth,
    submitterRoot: Uint8Array.from(raw.submitterRoot),
    submitterDepth: raw.submitterDepth,
    earned: units(raw.totals.earned),
    slashed: units(raw.totals.slashed),
    spent: units(raw.totals.spent),
    refunded: units(raw.totals.refunded),
  };
}
