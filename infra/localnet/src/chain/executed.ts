import { getBase58Codec, getBase64Codec } from '@solana/kit';
import type { TransactionMetadata } from 'litesvm';
import type { TransactionError } from './transaction-error.js';
import type { WireTransaction } from './wire-transaction.js';

const base58 = getBase58Codec();
const base64 = getBase64Codec();

/** A transaction that the chain has taken, successful or not. */
export interface Executed {
  readonly signature: string;
  readonly slot: bigint;
  readonly blockTimeS: bigint;
  readonly err: TransactionError | null;
  readonly logs: readonly string[];
  /** Null for an airdrop, which came without one. */
  readonly wire: WireTransaction | null;
  readonly meta: TransactionMeta | null;
}

interface InnerInstruction {
  readonly programIdIndex: number;
  readonly accounts: readonly number[];
  readonly data: string;
  readonly stackHeight: number;
}

export interface TransactionMeta {
  readonly err: TransactionError | null;
  readonly status: { readonly Ok: null } | { readonly Err: TransactionError };
  readonly fee: bigint;
  readonly preBalances: readonly bigint[];
  readonly postBalances: readonly bigint[];
  readonly preTokenBalances: readonly object[];
  readonly postTokenBalances: readonly object[];
  readonly innerInstructions: readonly {
    readonly index: number;
    readonly instructions: readonly InnerInstruction[];
  }[];
  readonly logMessages: readonly string[];
  readonly rewards: readonly [];
  readonly loadedAddresses: WireTransaction['loaded'];
  readonly computeUnitsConsumed: bigint;
  readonly returnData?: ReturnData;
}

interface ReturnData {
  readonly programId: string;
  readonly data: readonly [string, 'base64'];
}

export function innerInstructions(meta: TransactionMetadata): TransactionMeta['innerInstructions'] {
  return meta
    .innerInstructions()
    .map((list, index) => ({
      index,
      instructions: list.map((inner) => ({
        programIdIndex: inner.instruction().programIdIndex(),
        accounts: [...inner.instruction().accounts()],
        data: base58.decode(inner.instruction().data()),
        stackHeight: inner.stackHeight(),
      })),
    }))
    .filter(({ instructions }) => instructions.length > 0);
}

/** What a program returned, or null when it returned nothing. */
export function returnData(meta: TransactionMetadata): ReturnData | null {
  const returned = meta.returnData();
  const data = returned.data();
  if (data.length === 0) return null;
  return { programId: base58.decode(returned.programId()), data: [base64.decode(data), 'base64'] };
}

/** A transaction as `getTransaction` gives it; null for an airdrop. Instructions of `jsonParsed` are given as partly decoded. */
export function transactionView({ slot, blockTimeS, wire, meta }: Executed, encoding: string) {
  if (wire === null || meta === null) return null;
  const isParsed = encoding === 'jsonParsed';
  const { version } = wire.message;
  return {
    slot,
    blockTime: blockTimeS,
    version,
    transaction:
      encoding === 'base64'
        ? [base64.decode(wire.bytes), 'base64']
        : encoding === 'base58'
          ? [base58.decode(wire.bytes), 'base58']
          : { signatures: wire.signatures, message: messageView(wire, isParsed) },
    meta: isParsed
      ? {
          ...meta,
          innerInstructions: meta.innerInstructions.map((inner) => ({
            ...inner,
            instructions: inner.instructions.map((one) => named(wire, one)),
          })),
        }
      : meta,
  };
}

function messageView(wire: WireTransaction, isParsed: boolean) {
  const { message } = wire;
  const { header } = message;
  const instructions = message.instructions.map((instruction) => ({
    programIdIndex: instruction.programAddressIndex,
    accounts: [...(instruction.accountIndices ?? [])],
    data: base58.decode(instruction.data ?? new Uint8Array()),
    stackHeight: 1,
  }));
  const lookups =
    message.version === 'legacy'
      ? {}
      : {
          addressTableLookups: (message.addressTableLookups ?? []).map((lookup) => ({
            accountKey: lookup.lookupTableAddress,
            writableIndexes: [...lookup.writableIndexes],
            readonlyIndexes: [...lookup.readonlyIndexes],
          })),
        };
  const common = { recentBlockhash: wire.blockhash, ...lookups };
  if (isParsed) {
    const accountKeys = wire.keys.map((pubkey, index) => ({
      pubkey,
      signer: wire.isSigner(index),
      writable: wire.isWritable(index),
      source: index < message.staticAccounts.length ? 'transaction' : 'lookupTable',
    }));
    return { ...common, accountKeys, instructions: instructions.map((one) => named(wire, one)) };
  }
  return {
    ...common,
    header: {
      numRequiredSignatures: header.numSignerAccounts,
      numReadonlySignedAccounts: header.numReadonlySignerAccounts,
      numReadonlyUnsignedAccounts: header.numReadonlyNonSignerAccounts,
    },
    accountKeys: message.staticAccounts,
    instructions,
  };
}

function named(wire: WireTransaction, instruction: InnerInstruction) {
  const { keys } = wire;
  return {
    programId: keys[instruction.programIdIndex],
    accounts: instruction.accounts.map((index) => keys[index]),
    data: instruction.data,
    stackHeight: instruction.stackHeight,
  };
}
