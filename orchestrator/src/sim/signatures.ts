import { encodeBase58, type VerifySignature } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const keys = new Map<number, { readonly publicKey: Uint8Array; readonly address: string }>();

/** A public key on the curve, the same in every run. */
function keyOf(number: number): { readonly publicKey: Uint8Array; readonly address: string } {
  let key = keys.get(number);
  if (key === undefined) {
    const secret = createPrivateKey({
      key: Buffer.concat([PKCS8, Buffer.alloc(32, number + 1)]),
      format: 'der',
      type: 'pkcs8',
    });
    const publicKey = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32);
    key = { publicKey, address: encodeBase58(publicKey) };
    keys.set(number, key);
  }
  return key;
}

const signatureOf = (publicKey: Uint8Array, message: Uint8Array): Buffer =>
  createHash('sha512').update(publicKey).update(message).digest();

/**
 * A signer whose signatures are hashes: nobody here forges any, and curve arithmetic would take most of the time. Real signatures are
 * tested with the codecs and receipts.
 */
export function simulatedSigner(number: number): Signer {
  const { publicKey, address } = keyOf(number);
  return { publicKey, address, sign: (message) => signatureOf(publicKey, message) };
}

export const verifySimulated: VerifySignature = (publicKey, message, signature) =>
  signatureOf(publicKey, message).equals(signature);
