import {
  Connection,
  type FetchFn,
  type PublicKey,
  type VersionedTransaction,
  type VersionedTransactionResponse,
} from '@solana/web3.js';
import type { Sighting } from '@tidemill/core/settlement';
import { decodeBase58 } from '@tidemill/protocol';
import {
  type AccountsAt,
  ChainNode,
  ChainUnavailableError,
  type ExecutedInstruction,
  type FreshBlockhash,
  type HistoryEntry,
} from './chain-node.js';

/** A node that takes longer is as good as one that does not answer. */
const DEADLINE_MS = 10_000;

/** A batch of claims of 64 leaves, called by another program: 2,709 bytes in base58, with some to spare. */
const MAX_CALL_LENGTH = 4_096;

/** A node behind Solana's JSON-RPC over HTTP. No socket is kept open, and nothing is tried twice: whoever asks decides about that. */
export class RpcNode extends ChainNode {
  private readonly connection: Connection;

  constructor(
    private readonly url: string,
    ask: FetchFn = fetch,
  ) {
    super();
    this.connection = new Connection(url, {
      commitment: 'finalized',
      disableRetryOnRateLimit: true,
      fetch: (to, init) => ask(to, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) }),
    });
  }

  /** Without what may be a secret in the rest of its address. */
  get name(): string {
    return new URL(this.url).host;
  }

  genesisHash(): Promise<string> {
    return this.asked('genesis hash', () => this.connection.getGenesisHash());
  }

  finalizedSlot(): Promise<bigint> {
    return this.asked('slot', async () => BigInt(await this.connection.getSlot('finalized')));
  }

  finalizedHeight(): Promise<bigint> {
    return this.asked('height', async () =>
      BigInt(await this.connection.getBlockHeight('finalized')),
    );
  }

  sightings(signatures: readonly string[]): Promise<Sighting[]> {
    return this.asked('statuses', async () => {
      const { value } = await this.connection.getSignatureStatuses([...signatures], {
        searchTransactionHistory: true,
      });
      if (value.length !== signatures.length) throw new Error('fewer statuses than signatures');
      return value.map((status) => {
        if (status === null) return 'absent';
        if (status.confirmationStatus !== 'finalized') return 'seen';
        return status.err === null ? 'finalized' : 'refused';
      });
    });
  }

  blockhash(): Promise<FreshBlockhash> {
    return this.asked('blockhash', async () => {
      const { blockhash, lastValidBlockHeight } =
        await this.connection.getLatestBlockhash('finalized');
      return { blockhash, lastValidHeight: BigInt(lastValidBlockHeight) };
    });
  }

  failureOf(transaction: VersionedTransaction): Promise<readonly string[] | null> {
    return this.asked('simulation', async () => {
      const { value } = await this.connection.simulateTransaction(transaction, {
        sigVerify: false,
        commitment: 'confirmed',
      });
      if (value.err === null) return null;
      return value.logs !== null && value.logs.length > 0
        ? value.logs
        : [JSON.stringify(value.err)];
    });
  }

  async send(wire: Uint8Array): Promise<void> {
    await this.asked('send', () =>
      this.connection.sendRawTransaction(wire, { skipPreflight: true, maxRetries: 0 }),
    );
  }

  recentFees(accounts: readonly PublicKey[]): Promise<number[]> {
    return this.asked('fees', async () => {
      const fees = await this.connection.getRecentPrioritizationFees({
        lockedWritableAccounts: [...accounts],
      });
      return fees.map(({ prioritizationFee }) => prioritizationFee);
    });
  }

  accounts(addresses: readonly PublicKey[], from?: bigint): Promise<AccountsAt> {
    return this.asked('accounts', async () => {
      const { context, value } = await this.connection.getMultipleAccountsInfoAndContext(
        [...addresses],
        {
          commitment: 'finalized',
          ...(from === undefined ? {} : { minContextSlot: Number(from) }),
        },
      );
      const slot = BigInt(context.slot);
      if (from !== undefined && slot < from) throw new Error(`is at slot ${slot}, before ${from}`);
      return { slot, data: value.map((account) => account?.data ?? null) };
    });
  }

  history(address: PublicKey, before: string | null, limit: number): Promise<HistoryEntry[]> {
    return this.asked('history', async () => {
      const entries = await this.connection.getSignaturesForAddress(
        address,
        { limit, ...(before === null ? {} : { before }) },
        'finalized',
      );
      return entries
        .filter(({ confirmationStatus }) => confirmationStatus === 'finalized')
        .map(({ signature, slot, err }) => ({
          signature,
          slot: BigInt(slot),
          hasFailed: err !== null,
        }));
    });
  }

  executed(signature: string): Promise<readonly ExecutedInstruction[] | null> {
    return this.asked('transaction', async () => {
      const found = await this.connection.getTransaction(signature, {
        commitment: 'finalized',
        maxSupportedTransactionVersion: 0,
      });
      return found === null ? null : instructionsOf(found);
    });
  }

  private async asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      throw new ChainUnavailableError(`${this.name}: ${what}`, { cause });
    }
  }
}

/** @throws Error when the node does not keep what programs called: what was paid would be missed */
function instructionsOf({ transaction, meta }: VersionedTransactionResponse) {
  if (meta?.innerInstructions == null) throw new Error('the node does not keep inner instructions');
  const keys = transaction.message
    .getAccountKeys(meta.loadedAddresses ? { accountKeysFromLookups: meta.loadedAddresses } : {})
    .keySegments()
    .flat()
    .map((key) => key.toBase58());
  const keyAt = (at: number): string => {
    const key = keys[at];
    if (key === undefined) throw new Error(`an instruction names account ${at} of ${keys.length}`);
    return key;
  };
  const inner = new Map(meta.innerInstructions.map((one) => [one.index, one.instructions]));
  return transaction.message.compiledInstructions.flatMap((one, at): ExecutedInstruction[] => [
    {
      place: String(at),
      depth: 1,
      program: keyAt(one.programIdIndex),
      accounts: one.accountKeyIndexes.map(keyAt),
      data: one.data,
    },
    ...(inner.get(at) ?? []).map((call, place) => ({
      place: `${at}.${place}`,
      depth: depthOf(call),
      program: keyAt(call.programIdIndex),
      accounts: call.accounts.map(keyAt),
      data: bytesOf(call.data),
    })),
  ]);
}

/** web3.js hands it on without a type. */
function depthOf(call: object): number {
  if ('stackHeight' in call && typeof call.stackHeight === 'number') return call.stackHeight;
  throw new Error('the node does not say which program called which');
}

/** What is longer is no instruction of the settlement program, nor one that it calls: it is not worth reading. */
function bytesOf(base58: string): Uint8Array {
  return decodeBase58(base58, MAX_CALL_LENGTH) ?? new Uint8Array();
}
