import { type PublicKey } from '@solana/web3.js';
import type { ChainTotals } from '@tidemill/core/settlement';
import type { SettlementAddresses, SettlementProgram } from '@tidemill/settlement-client';
import { ChainUnavailableError } from './chain-node.js';
import type { ChainNodes } from './chain-nodes.js';

/** A root that the program holds. */
export interface RootOnChain {
  readonly epoch: bigint;
  readonly activationSlot: bigint;
  /** SHA-256 of the statement that was attested. */
  readonly statementHash: Uint8Array;
}

/** What the network's account says as of a finalized slot. */
export interface NetworkOnChain {
  readonly slot: bigint;
  readonly mint: PublicKey;
  readonly tokenProgram: PublicKey;
  readonly lastEpoch: bigint;
  readonly active: RootOnChain | null;
  readonly pending: RootOnChain | null;
  readonly isPaused: boolean;
  readonly totals: ChainTotals;
}

/** Reads the network's account. */
export class NetworkAccount {
  constructor(
    private readonly nodes: ChainNodes,
    private readonly program: SettlementProgram,
    private readonly addresses: SettlementAddresses,
  ) {}

  /** As two nodes say alike, of a slot not before `from`. @throws ChainUnavailableError, ChainDisagreementError */
  async read(from?: bigint): Promise<NetworkOnChain> {
    const { slot, data } = await this.nodes.agreed(
      (node) => node.accounts([this.addresses.network], from),
      (answer) => answer.data[0]?.toString('base64') ?? '',
    );
    const [account] = data;
    if (account == null)
      throw new ChainUnavailableError(`there is no network ${this.addresses.network.toBase58()}`);
    return { slot, ...decoded(this.program, account) };
  }
}

interface Wide {
  toString(): string;
}
interface RawRoot {
  readonly epoch: Wide;
  readonly activationSlot: Wide;
  readonly statementHash: readonly number[];
}

function decoded(program: SettlementProgram, data: Buffer): Omit<NetworkOnChain, 'slot'> {
  const raw = program.coder.accounts.decode<{
    readonly mint: PublicKey;
    readonly tokenProgram: PublicKey;
    readonly lastEpoch: Wide;
    readonly active: RawRoot;
    readonly pending: RawRoot;
    readonly paused: number;
    readonly deposited: Wide;
    readonly withdrawn: Wide;
    readonly paid: Wide;
    readonly feesWithdrawn: Wide;
  }>('network', data);
  return {
    mint: raw.mint,
    tokenProgram: raw.tokenProgram,
    lastEpoch: bigintOf(raw.lastEpoch),
    active: rootOf(raw.active),
    pending: rootOf(raw.pending),
    isPaused: raw.paused !== 0,
    totals: {
      deposited: bigintOf(raw.deposited),
      withdrawn: bigintOf(raw.withdrawn),
      paid: bigintOf(raw.paid),
      feesWithdrawn: bigintOf(raw.feesWithdrawn),
    },
  };
}

/** Anchor's coder gives its own kind of big number. */
const bigintOf = (wide: Wide): bigint => BigInt(wide.toString());

function rootOf(raw: RawRoot): RootOnChain | null {
  const epoch = bigintOf(raw.epoch);
  if (epoch === 0n) return null;
  return {
    epoch,
    activationSlot: bigintOf(raw.activationSlot),
    statementHash: Uint8Array.from(raw.statementHash),
  };
}
