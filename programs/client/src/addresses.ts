import { PublicKey } from '@solana/web3.js';
import { SETTLEMENT_SEEDS } from '@tidemill/protocol';

/** The address of a network: made of who initialized it and of the cluster's genesis hash. */
export function networkAddress(
  programId: PublicKey,
  initializer: PublicKey,
  genesisHash: Uint8Array,
): PublicKey {
  return find(programId, SETTLEMENT_SEEDS.network(initializer.toBytes(), genesisHash));
}

/** The addresses of what belongs to one network. */
export class SettlementAddresses {
  readonly vault: PublicKey;
  readonly stakeVault: PublicKey;

  constructor(
    readonly programId: PublicKey,
    readonly network: PublicKey,
  ) {
    this.vault = find(programId, SETTLEMENT_SEEDS.vault(network.toBytes()));
    this.stakeVault = find(programId, SETTLEMENT_SEEDS.stakeVault(network.toBytes()));
  }

  /** The page with a number, which holds the paid totals of 1,270 indexes. */
  page(number: number): PublicKey {
    return find(this.programId, SETTLEMENT_SEEDS.page(this.network.toBytes(), number));
  }

  submitter(submitter: PublicKey): PublicKey {
    const seeds = SETTLEMENT_SEEDS.submitter(this.network.toBytes(), submitter.toBytes());
    return find(this.programId, seeds);
  }

  stake(worker: PublicKey): PublicKey {
    return find(this.programId, SETTLEMENT_SEEDS.stake(this.network.toBytes(), worker.toBytes()));
  }

  proposal(number: bigint): PublicKey {
    return find(this.programId, SETTLEMENT_SEEDS.proposal(this.network.toBytes(), number));
  }
}

const find = (programId: PublicKey, seeds: Uint8Array[]): PublicKey =>
  PublicKey.findProgramAddressSync(seeds, programId)[0];
