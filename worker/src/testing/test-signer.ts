import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { encodeBase58 } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';

/** A key that is the same in every run. */
export function testSigner(seedByte = 7): Signer {
  const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8, Buffer.alloc(32, seedByte)]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    publicKey,
    address: encodeBase58(publicKey),
    sign: (message) => sign(null, message, key),
  };
}
