import { generateKeyPairSync, sign } from 'node:crypto';
import { encodeBase58 } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';

/** A new key that lies in no file. */
export function nodeSigner(): Signer {
  const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
  const publicKey = key.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    publicKey,
    address: encodeBase58(publicKey),
    sign: (message) => sign(null, message, privateKey),
  };
}
