import { PublicKey, TransactionInstruction } from '@solana/web3.js';
import { settlementIdl } from '../../idl.js';

export const u8 = (value: number): Uint8Array => Uint8Array.of(value);

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

export const hashes = (all: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([u32(all.length), ...all]);

const { instructions } = settlementIdl(PublicKey.default.toBase58());
type Described = (typeof instructions)[number];
const byName = new Map(instructions.map((one) => [one.name, one]));

/** An instruction from its accounts in the IDL's order and its arguments' bytes: Anchor's coder would take longer than the program. */
export function written(
  programId: PublicKey,
  name: Described['name'],
  accounts: readonly PublicKey[],
  args: readonly Uint8Array[] = [],
): TransactionInstruction {
  const described = byName.get(name);
  if (described === undefined) throw new RangeError(`the program has no instruction ${name}`);
  const keys = accounts.map((pubkey, at) => {
    const slot = described.accounts[at];
    // What comes after the named ones are token accounts to be paid.
    const isWritable = slot === undefined || 'writable' in slot;
    return { pubkey, isSigner: slot !== undefined && 'signer' in slot, isWritable };
  });
  const data = Buffer.concat([Buffer.from(described.discriminator), ...args]);
  return new TransactionInstruction({ programId, keys, data });
}
