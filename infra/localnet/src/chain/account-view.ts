import {
  type EncodedAccount,
  getBase58Codec,
  getBase64Codec,
  type MaybeEncodedAccount,
} from '@solana/kit';
import { RPC, RpcError } from './rpc-error.js';
import { mint, TOKEN_PROGRAM, tokenAccount, uiAmount } from './token-accounts.js';

const base58 = getBase58Codec();
const base64 = getBase64Codec();

/** Of longer data a node gives no base58: it would take too long. */
const MAX_BASE58_BYTES = 128;
/** What accounts have that no rent is collected from, which is all of them. */
const NO_RENT_EPOCH = 18_446_744_073_709_551_615n;

export interface AccountConfig {
  readonly encoding?: string;
  readonly dataSlice?: { readonly offset: number; readonly length: number };
}

/** Finds the decimals of a mint; undefined when there is no such mint. */
export type DecimalsOf = (mintAddress: string) => number | undefined;

/** An account as the RPC gives it, or null. @throws RpcError for an encoding that is not offered */
export function accountView(
  account: MaybeEncodedAccount,
  { encoding = 'base58', dataSlice }: AccountConfig,
  decimalsOf: DecimalsOf,
) {
  if (!account.exists) return null;
  const parsed = encoding === 'jsonParsed' ? parsedData(account, decimalsOf) : null;
  const data =
    dataSlice === undefined
      ? account.data
      : account.data.subarray(dataSlice.offset, dataSlice.offset + dataSlice.length);
  return {
    data: parsed ?? encoded(data, encoding),
    executable: account.executable,
    lamports: account.lamports,
    owner: account.programAddress,
    rentEpoch: NO_RENT_EPOCH,
    space: account.space,
  };
}

function encoded(data: EncodedAccount['data'], encoding: string): string[] {
  switch (encoding) {
    case 'base58':
      if (data.length <= MAX_BASE58_BYTES) return [base58.decode(data), 'base58'];
      throw new RpcError(
        -32600,
        'Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.',
      );
    case 'base64':
    case 'jsonParsed':
      return [base64.decode(data), 'base64'];
    default:
      throw new RpcError(RPC.params, `${encoding} is not supported here`);
  }
}

/** Token accounts and mints as a node parses them; null for everything else. */
function parsedData(account: EncodedAccount, decimalsOf: DecimalsOf) {
  const wrap = (type: string, info: object) => ({
    program: account.programAddress === TOKEN_PROGRAM ? 'spl-token' : 'spl-token-2022',
    parsed: { type, info },
    space: account.space,
  });
  const token = tokenAccount(account);
  if (token !== null) {
    const { mint: mintAddress, owner, state, isNative, amount } = token;
    const decimals = decimalsOf(mintAddress);
    if (decimals === undefined) return null;
    const tokenAmount = uiAmount(amount, decimals);
    return wrap('account', { mint: mintAddress, owner, isNative, state, tokenAmount });
  }
  const asMint = mint(account);
  if (asMint === null) return null;
  return wrap('mint', { ...asMint, supply: asMint.supply.toString() });
}

export interface AccountFilter {
  readonly memcmp?: {
    readonly offset: number;
    readonly bytes: string;
    readonly encoding?: string;
  };
  readonly dataSize?: number;
  readonly tokenAccountState?: boolean;
}

/** Which accounts of a program are meant, from its filters, compiled once. */
export function accountFilter(
  filters: readonly AccountFilter[] = [],
): (account: EncodedAccount) => boolean {
  const tests = filters.map(({ memcmp, dataSize }) => {
    if (memcmp !== undefined) {
      const codec = memcmp.encoding === 'base64' ? base64 : base58;
      const bytes = Buffer.from(codec.encode(memcmp.bytes));
      return ({ data }: EncodedAccount) =>
        bytes.equals(data.subarray(memcmp.offset, memcmp.offset + bytes.length));
    }
    if (dataSize !== undefined) return ({ data }: EncodedAccount) => data.length === dataSize;
    return (account: EncodedAccount) => tokenAccount(account) !== null;
  });
  return (account) => tests.every((test) => test(account));
}
