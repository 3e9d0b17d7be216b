import { ed25519 } from '@noble/curves/ed25519.js';

/** A key whose secret everybody knows: one byte, 32 times. */
export interface TestKey {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export function testKey(byte: number): TestKey {
  const secret = new Uint8Array(32).fill(byte);
  return {
    publicKey: ed25519.getPublicKey(secret),
    sign: (message) => ed25519.sign(message, secret),
  };
}
