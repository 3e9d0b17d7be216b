import { base58 } from '@scure/base';

/** Longest input taken: a 64-byte signature has at most 88 characters; the conversion is quadratic. */
const MAX_LENGTH = 128;

/** Base58 as Solana spells keys and signatures. */
export const encodeBase58 = (bytes: Uint8Array): string => base58.encode(bytes);

/** The bytes of a base58 text, or null when it is not one, or longer than what is expected. */
export function decodeBase58(text: string, maxLength = MAX_LENGTH): Uint8Array | null {
  if (text.length > maxLength) return null;
  try {
    return base58.decode(text);
  } catch {
    return null;
  }
}
