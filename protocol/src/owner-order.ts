import { z } from 'zod';
import { tagged, TAGS, utf8ToBytes } from './crypto.js';
import { PublicKeyText, SignatureText } from './digest.js';
import { WorkerId } from './ids.js';

/** A new payout address takes effect this long after it was ordered: time for an owner to notice that a key was stolen. */
export const PAYOUT_DELAY_MS = 24 * 3_600_000;

/** An order is refused when the clocks of its signer and of the network are further apart than this (G21). */
export const ORDER_WINDOW_MS = 10 * 60_000;

const MAX_ORDER_LENGTH = 1_024;

/** Said by every order: for whom, where and when. Of two orders that change something, the later must be issued later. */
const addressed = {
  network: z.string().max(64),
  audience: z.string().max(128),
  workerId: WorkerId,
  issuedAtMs: z.int().min(0),
};

/** What an owner may order for a worker. Its text is signed, travels and is kept as it is. */
export const OwnerOrder = z.discriminatedUnion('order', [
  /** Shows what only the owner sees. Signed by the worker's key. */
  z.strictObject({ order: z.literal('look'), ...addressed }),
  /** Pays to another address, 24 h later. Signed by the key that is paid now; naming that one calls a change off. */
  z.strictObject({ order: z.literal('payout'), ...addressed, payout: PublicKeyText }),
  /** Replaces the worker's key; the worker keeps its id, its history and its payout address. Signed by both keys. */
  z.strictObject({ order: z.literal('key'), ...addressed, publicKey: PublicKeyText }),
]);
export type OwnerOrder = z.infer<typeof OwnerOrder>;

/** The bytes that are signed for an order's text. */
export const orderSigningBytes = (text: string): Uint8Array =>
  tagged(TAGS.ownerOrder, utf8ToBytes(text));

/** An order and its signatures. */
export const SignedOrder = z
  .strictObject({
    order: z
      .string()
      .max(MAX_ORDER_LENGTH)
      .meta({ description: 'The order as JSON text; its bytes are what is signed.' }),
    signature: SignatureText,
    newSignature: SignatureText.optional().meta({
      description: 'Of the new key, for an order that replaces the key.',
    }),
  })
  .meta({ id: 'SignedOrder' });
export type SignedOrder = z.infer<typeof SignedOrder>;

/** An operator's word that a machine is one of its own: its signature over the machine's key. */
export const OperatorCertificate = z.strictObject({
  publicKey: PublicKeyText,
  signature: SignatureText,
});
export type OperatorCertificate = z.infer<typeof OperatorCertificate>;

/** The bytes an operator signs for the worker with this key. */
export const operatorSigningBytes = (workerKey: string): Uint8Array =>
  tagged(TAGS.operator, utf8ToBytes(workerKey));
