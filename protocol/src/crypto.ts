import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

export { bytesToHex, hexToBytes, utf8ToBytes };

/** SHA-256 of the bytes, 32 bytes. Servers pass node:crypto, browsers pass noble. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Checks an ed25519 signature strictly (canonical S). Never throws: anything malformed is simply not valid. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Domain tags: the first bytes of everything that is signed or hashed, so that no signature means two things (G21). */
export const TAGS = {
  login: 'tidemill/login/1',
  receipts: 'tidemill/receipts/1',
  trailEvent: 'tidemill/trail-event/1',
  trailChain: 'tidemill/trail-chain/1',
  checkpoint: 'tidemill/checkpoint/1',
  cosignature: 'tidemill/cosignature/1',
  ownerOrder: 'tidemill/owner-order/1',
  operator: 'tidemill/operator/1',
  settlementRoot: 'tidemill/settlement-root/1',
  releasedTotal: 'tidemill/released-total/1',
  epochObjection: 'tidemill/epoch-objection/1',
} as const;

/** `tag ‖ 0x0a ‖ body`: the bytes a signature or digest covers. */
export function tagged(tag: (typeof TAGS)[keyof typeof TAGS], body: Uint8Array): Uint8Array {
  const head = utf8ToBytes(`${tag}\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/**
 * Whether a public key is what it costs little to see: 32 bytes, a point of the curve spelled canonically, not of small order. A
 * small-order key verifies signatures nobody made, and Node accepts it.
 */
export function isPlausiblePublicKey(publicKey: Uint8Array): boolean {
  return pointOf(publicKey) !== null;
}

/**
 * Whether a public key may identify anybody: plausible, and without a part of small order, or others beside it would share signatures
 * that some programs accept and others do not. To be asked once, when a key is registered: it costs as much as twenty verifications.
 */
export function isSoundPublicKey(publicKey: Uint8Array): boolean {
  return pointOf(publicKey)?.isTorsionFree() ?? false;
}

function pointOf(publicKey: Uint8Array) {
  if (publicKey.length !== 32) return null;
  try {
    const point = ed25519.Point.fromBytes(publicKey, false);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
}
