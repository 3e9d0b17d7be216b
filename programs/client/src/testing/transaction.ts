import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { type Keypair, PublicKey, type TransactionInstruction } from '@solana/web3.js';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const NO_SIGNATURE = new Uint8Array(64);
const privateKeys = new WeakMap<Keypair, KeyObject>();

/** An ed25519 signature by Node itself: ten times as fast as in JavaScript. */
export function signatureOf(key: Keypair, message: Uint8Array): Uint8Array {
  let privateKey = privateKeys.get(key);
  if (privateKey === undefined) {
    const der = Buffer.concat([PKCS8, key.secretKey.subarray(0, 32)]);
    privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    privateKeys.set(key, privateKey);
  }
  return new Uint8Array(sign(null, message, privateKey));
}

/** What an account is to a transaction: the order in which a message lists them. */
const ROLES = [
  { isSigner: true, isWritable: true },
  { isSigner: true, isWritable: false },
  { isSigner: false, isWritable: true },
  { isSigner: false, isWritable: false },
] as const;

/**
 * A transaction without address tables in the oldest format, signed unless it is said not to be. The library's own way takes longer than the program, and sequences
 * of a hundred thousand have to be short.
 */
export function packed(
  instructions: readonly TransactionInstruction[],
  [payer, ...others]: readonly [Keypair, ...Keypair[]],
  blockhash: string,
  isSigned: boolean,
): Uint8Array {
  const places = placesOf(payer.publicKey, instructions);
  const keys = [...places.values()].sort((a, b) => a.role - b.role);
  const numberOf = new Map(keys.map(({ bytes }, at) => [text(bytes), at]));
  const count = (role: number) => keys.filter((key) => key.role === role).length;
  const parts: Uint8Array[] = [
    Uint8Array.of(count(0) + count(1), count(1), count(3)),
    length(keys.length),
    ...keys.map(({ bytes }) => bytes),
    blockhashBytes(blockhash),
    length(instructions.length),
  ];
  const place = (key: PublicKey) => numberOf.get(text(key.toBytes())) ?? 0;
  for (const { programId, keys: metas, data } of instructions) {
    parts.push(Uint8Array.of(place(programId)), length(metas.length));
    parts.push(
      Uint8Array.from(metas, ({ pubkey }) => place(pubkey)),
      length(data.length),
      data,
    );
  }
  const message = Buffer.concat(parts);
  const signers = new Map([payer, ...others].map((key) => [text(key.publicKey.toBytes()), key]));
  const needed = keys.slice(0, count(0) + count(1));
  const signatures = needed.map(({ bytes }) => {
    const signer = signers.get(text(bytes));
    return signer === undefined || !isSigned ? NO_SIGNATURE : signatureOf(signer, message);
  });
  return Buffer.concat([length(signatures.length), ...signatures, message]);
}

function placesOf(payer: PublicKey, instructions: readonly TransactionInstruction[]) {
  const places = new Map<string, { bytes: Uint8Array; role: number }>();
  const add = (key: PublicKey, isSigner: boolean, isWritable: boolean) => {
    const bytes = key.toBytes();
    const known = ROLES[places.get(text(bytes))?.role ?? 3];
    const signs = isSigner || known?.isSigner === true;
    const writes = isWritable || known?.isWritable === true;
    const role = ROLES.findIndex((one) => one.isSigner === signs && one.isWritable === writes);
    places.set(text(bytes), { bytes, role });
  };
  // The first is who pays; a map keeps its place at the head of its role.
  add(payer, true, true);
  for (const { programId, keys } of instructions) {
    for (const { pubkey, isSigner, isWritable } of keys) add(pubkey, isSigner, isWritable);
    add(programId, false, false);
  }
  return places;
}

let lastBlockhash: { text: string; bytes: Uint8Array } = { text: '', bytes: new Uint8Array() };

function blockhashBytes(blockhash: string): Uint8Array {
  if (lastBlockhash.text !== blockhash)
    lastBlockhash = { text: blockhash, bytes: new PublicKey(blockhash).toBytes() };
  return lastBlockhash.bytes;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** A length as Solana writes it, seven bits to a byte. */
function length(value: number): Uint8Array {
  return value < 0x80 ? Uint8Array.of(value) : Uint8Array.of((value & 0x7f) | 0x80, value >> 7);
}
