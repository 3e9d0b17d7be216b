import { TAGS, utf8ToBytes, type Sha256 } from '../crypto.js';

const TAG = utf8ToBytes(`${TAGS.trailChain}\n`);

/** What the first event of a trail is chained to: 32 zero bytes. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

/** `SHA-256(tag ⏎ previous ‖ leaf)`: each event's chain hash stands for all events up to it. Both hashes are 32 bytes. */
export function chainHash(previous: Uint8Array, leaf: Uint8Array, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(TAG.length + 64);
  bytes.set(TAG);
  bytes.set(previous, TAG.length);
  bytes.set(leaf, TAG.length + 32);
  return sha256(bytes);
}
