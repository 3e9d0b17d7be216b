import { type Address, getBase58Codec, type EncodedAccount } from '@solana/kit';

export const TOKEN_PROGRAM = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA' as Address;
const TOKEN_2022_PROGRAM = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb' as Address;
export const TOKEN_PROGRAMS: readonly Address[] = [TOKEN_PROGRAM, TOKEN_2022_PROGRAM];

/** Sizes of the two layouts, and where Token-2022 notes which of them an account with extensions is. */
const MINT_BYTES = 82;
const ACCOUNT_BYTES = 165;
const IS_ACCOUNT = 2;

type Stored = Pick<EncodedAccount, 'programAddress' | 'data'>;
type Bytes = EncodedAccount['data'];

const base58 = getBase58Codec();
const keyAt = (data: Bytes, offset: number): Address =>
  base58.decode(data.subarray(offset, offset + 32)) as Address;

export interface TokenAccount {
  readonly mint: Address;
  readonly owner: Address;
  readonly amount: bigint;
  readonly state: 'uninitialized' | 'initialized' | 'frozen';
  readonly isNative: boolean;
  readonly program: Address;
}

/** What an account holds as a token account, or null when it is none. */
export function tokenAccount(account: Stored): TokenAccount | null {
  if (!TOKEN_PROGRAMS.includes(account.programAddress)) return null;
  const { data } = account;
  if (data.length < ACCOUNT_BYTES) return null;
  if (data.length > ACCOUNT_BYTES && data[ACCOUNT_BYTES] !== IS_ACCOUNT) return null;
  return {
    mint: keyAt(data, 0),
    owner: keyAt(data, 32),
    amount: u64At(data, 64),
    state: (['uninitialized', 'initialized', 'frozen'] as const)[data[108] ?? 0] ?? 'uninitialized',
    isNative: data[109] === 1,
    program: account.programAddress,
  };
}

export interface Mint {
  readonly decimals: number;
  readonly supply: bigint;
  readonly isInitialized: boolean;
  readonly mintAuthority: Address | null;
  readonly freezeAuthority: Address | null;
}

/** What an account says as a mint, or null when it is none. */
export function mint(account: Stored): Mint | null {
  if (!TOKEN_PROGRAMS.includes(account.programAddress)) return null;
  const { data } = account;
  const hasSize =
    data.length === MINT_BYTES ||
    (data.length > ACCOUNT_BYTES && data[ACCOUNT_BYTES] !== IS_ACCOUNT);
  if (!hasSize) return null;
  return {
    decimals: data[44] ?? 0,
    supply: u64At(data, 36),
    isInitialized: data[45] === 1,
    mintAuthority: data[0] === 0 ? null : keyAt(data, 4),
    freezeAuthority: data[46] === 0 ? null : keyAt(data, 50),
  };
}

/** An amount as the RPC writes it: exact as a text, and as people would write it. */
export function uiAmount(amount: bigint, decimals: number) {
  const digits = amount.toString().padStart(decimals + 1, '0');
  const text =
    decimals === 0
      ? digits
      : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/\.?0+$/, '');
  return { amount: amount.toString(), decimals, uiAmount: Number(text), uiAmountString: text };
}

function u64At(data: Bytes, offset: number): bigint {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getBigUint64(offset, true);
}
