import { Connection, PublicKey } from '@solana/web3.js';
import type { ChainEvidence, ChainSubmitter } from '@tidemill/core/cosigner';
import { PAGE_ENTRIES, paidTotalAt } from '@tidemill/protocol';
import {
  SettlementAddresses,
  settlementProgram,
  type SettlementProgram,
} from '@tidemill/settlement-client';

/** What this needs of an RPC node; a `Connection` is one. */
export type AccountSource = Pick<Connection, 'getSlot' | 'getAccountInfo' | 'getProgramAccounts'>;

/** The address of the network's account holds none of the program's. */
class NetworkMissingError extends Error {
  override readonly name = 'NetworkMissingError';
}

/** Reads what the program knows of a network, final and from a node of the co-signer's own choice. */
export class ChainReader {
  private readonly program: SettlementProgram;
  private readonly addresses: SettlementAddresses;

  constructor(
    program: Uint8Array,
    network: Uint8Array,
    private readonly accounts: AccountSource,
  ) {
    const programId = new PublicKey(program);
    // The program only decodes here; what is read comes through `accounts`.
    this.program = settlementProgram(programId, new Connection('http://127.0.0.1:1'));
    this.addresses = new SettlementAddresses(programId, new PublicKey(network));
  }

  /** All that an epoch is checked against, with pages for so many workers. @throws what the node throws, and NetworkMissingError */
  async read(workers: number): Promise<ChainEvidence> {
    const { coder, programId } = this.program;
    const { network } = this.addresses;
    // First, so that what is read after it is at least as new.
    const slot = await this.accounts.getSlot('finalized');
    const account = await this.accounts.getAccountInfo(network, 'finalized');
    if (account === null || !account.owner.equals(programId))
      throw new NetworkMissingError(
        `${network.toBase58()} is not a network of ${programId.toBase58()}`,
      );
    const { deposited, withdrawn, paid, feesWithdrawn, lastEpoch } = coder.accounts.decode<Decoded>(
      'network',
      account.data,
    );
    return {
      slot: BigInt(slot),
      totals: {
        deposited: units(deposited),
        withdrawn: units(withdrawn),
        paid: units(paid),
        feesWithdrawn: units(feesWithdrawn),
      },
      lastEpoch: units(lastEpoch),
      submitters: await this.submitters(),
      paidOf: await this.paid(workers),
    };
  }

  private async submitters(): Promise<ReadonlyMap<string, ChainSubmitter>> {
    const { coder, programId } = this.program;
    const found = await this.accounts.getProgramAccounts(programId, {
      commitment: 'finalized',
      filters: [
        { memcmp: coder.accounts.memcmp('submitter') as { offset: number; bytes: string } },
        { memcmp: { offset: DISCRIMINATOR, bytes: this.addresses.network.toBase58() } },
      ],
    });
    return new Map(
      found.map(({ account }) => {
        const { submitter, deposited, withdrawn, openedSlot } =
          coder.accounts.decode<DecodedSubmitter>('submitter', account.data);
        return [
          submitter.toBase58(),
          {
            deposited: units(deposited),
            withdrawn: units(withdrawn),
            openedSlot: units(openedSlot),
          },
        ];
      }),
    );
  }

  /** Pages of which none is there yet have paid nothing. */
  private async paid(workers: number): Promise<(index: number) => bigint> {
    const pages = new Map<number, readonly Amount[]>();
    for (let number = 0; number < Math.ceil(workers / PAGE_ENTRIES); number += 1) {
      const account = await this.accounts.getAccountInfo(this.addresses.page(number), 'finalized');
      if (account === null) continue;
      pages.set(
        number,
        this.program.coder.accounts.decode<{ paid: Amount[] }>('page', account.data).paid,
      );
    }
    return (index) => {
      const { page, place } = paidTotalAt(index);
      return units(pages.get(page)?.[place] ?? 0);
    };
  }
}

/** Bytes of an account in front of its fields. */
const DISCRIMINATOR = 8;

/** A number of 64 bits as Anchor decodes it. */
interface Amount {
  toString(): string;
}

const units = (value: Amount): bigint => BigInt(value.toString());

interface Decoded {
  readonly deposited: Amount;
  readonly withdrawn: Amount;
  readonly paid: Amount;
  readonly feesWithdrawn: Amount;
  readonly lastEpoch: Amount;
}

interface DecodedSubmitter {
  readonly submitter: PublicKey;
  readonly deposited: Amount;
  readonly withdrawn: Amount;
  readonly openedSlot: Amount;
}
