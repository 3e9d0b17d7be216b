import { generateKeyPairSync, sign } from 'node:crypto';
import { encodeBase58 } from '@tidemill/protocol';
import type { LoginSigner } from '../sdk/login.js';

/** A fresh key pair, and what it was asked to sign. */
export function testSigner(): LoginSigner & {
  readonly signed: string[];
  readonly publicKey: Uint8Array;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const signed: string[] = [];
  return {
    signed,
    publicKey: raw,
    address: encodeBase58(raw),
    sign: (message) => {
      signed.push(Buffer.from(message).toString('utf8'));
      return sign(null, message, privateKey);
    },
  };
}
