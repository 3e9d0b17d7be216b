import { generateKeyPairSync, sign } from 'node:crypto';
import { encodeBase58 } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';

/** A new key pair that lives as long as the test. */
export function freshSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const bytes = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    publicKey: bytes,
    address: encodeBase58(bytes),
    sign: (message) => sign(null, message, privateKey),
  };
}
