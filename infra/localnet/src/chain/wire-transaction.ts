import {
  type Address,
  getAddressCodec,
  getBase58Codec,
  getBase64Codec,
  getCompiledTransactionMessageDecoder,
  getTransactionDecoder,
  type MaybeEncodedAccount,
  type Transaction,
} from '@solana/kit';
import { RPC, RpcError } from './rpc-error.js';

/** What fits into one packet of the network (IPv6 minimum MTU less headers). */
const MAX_TRANSACTION_BYTES = 1_232;
/** A lookup table's addresses come after its header. */
const TABLE_HEADER_BYTES = 56;

const base58 = getBase58Codec();
const base64 = getBase64Codec();
const addresses = getAddressCodec();
const transactions = getTransactionDecoder();
const messages = getCompiledTransactionMessageDecoder();

type AnyMessage = ReturnType<typeof messages.decode>;
export type Message = Exclude<AnyMessage, { readonly version: 1 }>;

/** A signed transaction as it came over the wire, with the addresses that its lookup tables stand for. */
export class WireTransaction {
  private constructor(
    readonly bytes: Uint8Array,
    readonly transaction: Transaction,
    readonly message: Message,
    /** In base58; the first one is the transaction's name. */
    readonly signatures: readonly string[],
    readonly loaded: {
      readonly writable: readonly Address[];
      readonly readonly: readonly Address[];
    },
  ) {}

  /** @throws RpcError when it cannot be read or is too large */
  static decode(
    text: string,
    encoding: string,
    account: (address: Address) => MaybeEncodedAccount,
  ): WireTransaction {
    const bytes = bytesOf(text, encoding);
    if (bytes.length > MAX_TRANSACTION_BYTES) {
      throw new RpcError(
        RPC.params,
        `decoded solana_transaction::versioned::VersionedTransaction too large: ${bytes.length} bytes (max: ${MAX_TRANSACTION_BYTES} bytes)`,
      );
    }
    try {
      return WireTransaction.read(bytes, (message) => loadedBy(message, account));
    } catch (error) {
      if (error instanceof RpcError) throw error;
      throw new RpcError(RPC.params, 'failed to deserialize solana_transaction');
    }
  }

  /** One that was read before, with what its lookup tables held then. */
  static restore(base64Text: string, loaded: WireTransaction['loaded']): WireTransaction {
    return WireTransaction.read(new Uint8Array(base64.encode(base64Text)), () => loaded);
  }

  private static read(
    bytes: Uint8Array,
    loaded: (message: Message) => WireTransaction['loaded'],
  ): WireTransaction {
    const transaction = transactions.decode(bytes);
    const message = supported(messages.decode(transaction.messageBytes));
    const signatures = Object.values(transaction.signatures).map((signature) =>
      base58.decode(signature ?? new Uint8Array(64)),
    );
    return new WireTransaction(bytes, transaction, message, signatures, loaded(message));
  }

  get base64(): string {
    return base64.decode(this.bytes);
  }

  get signature(): string {
    return this.signatures[0] ?? '';
  }

  get blockhash(): string {
    return (this.message as { lifetimeToken: string }).lifetimeToken;
  }

  /** All addresses that its instructions number. */
  get keys(): readonly Address[] {
    return [...this.message.staticAccounts, ...this.loaded.writable, ...this.loaded.readonly];
  }

  isSigner(index: number): boolean {
    return index < this.message.header.numSignerAccounts;
  }

  isWritable(index: number): boolean {
    const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } =
      this.message.header;
    const named = this.message.staticAccounts.length;
    if (index < numSignerAccounts) return index < numSignerAccounts - numReadonlySignerAccounts;
    if (index < named) return index < named - numReadonlyNonSignerAccounts;
    return index < named + this.loaded.writable.length;
  }
}

/** How many signatures a message wants, which is what the base fee goes by. @throws RpcError when it cannot be read */
export function signersOf(message: string): number {
  try {
    return messages.decode(base64.encode(message)).header.numSignerAccounts;
  } catch {
    throw new RpcError(RPC.params, 'failed to deserialize the message');
  }
}

function bytesOf(text: string, encoding: string): Uint8Array {
  try {
    return new Uint8Array(encoding === 'base64' ? base64.encode(text) : base58.encode(text));
  } catch {
    throw new RpcError(RPC.params, `invalid ${encoding} encoding`);
  }
}

function supported(message: AnyMessage): Message {
  if (message.version === 1) throw new RpcError(RPC.params, 'transaction version 1 is unsupported');
  return message;
}

function loadedBy(message: Message, account: (address: Address) => MaybeEncodedAccount) {
  const writable: Address[] = [];
  const readonly: Address[] = [];
  for (const lookup of 'addressTableLookups' in message
    ? (message.addressTableLookups ?? [])
    : []) {
    const table = account(lookup.lookupTableAddress);
    if (!table.exists) continue;
    const at = (index: number) => addresses.decode(table.data, TABLE_HEADER_BYTES + 32 * index);
    writable.push(...lookup.writableIndexes.map(at));
    readonly.push(...lookup.readonlyIndexes.map(at));
  }
  return { writable, readonly };
}
