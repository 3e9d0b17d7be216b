import { Ed25519Program, TransactionInstruction } from '@solana/web3.js';

/** An ed25519 signature of 64 bytes, with the key of 32 that made it. */
export interface SignedBy {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Where the signed bytes lie: in the data of an instruction of the same transaction. */
interface MessagePlace {
  readonly instruction: number;
  readonly offset: number;
  readonly length: number;
}

/** "In this very instruction", in place of an instruction's number. */
const HERE = 0xffff;
const OFFSETS = 14;
const KEY = 32;
const SIGNATURE = 64;

/** An instruction of the ed25519 program that verifies signatures over bytes of another instruction, so that these travel once. */
export function verifySignatures(
  signed: readonly SignedBy[],
  message: MessagePlace,
): TransactionInstruction {
  const head = 2 + signed.length * OFFSETS;
  const data = Buffer.alloc(head + signed.length * (KEY + SIGNATURE));
  data.writeUInt8(signed.length, 0);
  signed.forEach(({ publicKey, signature }, at) => {
    const keyAt = head + at * (KEY + SIGNATURE);
    data.set(publicKey, keyAt);
    data.set(signature, keyAt + KEY);
    const numbers = [
      keyAt + KEY,
      HERE,
      keyAt,
      HERE,
      message.offset,
      message.length,
      message.instruction,
    ];
    numbers.forEach((number, place) => data.writeUInt16LE(number, 2 + at * OFFSETS + 2 * place));
  });
  return new TransactionInstruction({ programId: Ed25519Program.programId, keys: [], data });
}
