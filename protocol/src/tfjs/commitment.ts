import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { Digest } from '../digest.js';
import { type Checkpoint, encodeCheckpoint } from './checkpoint.js';

/** SHA-256 over the canonical bytes of weights, optimizer state, step, data cursor and metrics, as 64 hex digits. */
export function commitment(
  checkpoint: Checkpoint,
  hash: (bytes: Uint8Array) => Uint8Array = sha256,
): string {
  return bytesToHex(hash(encodeCheckpoint(checkpoint)));
}

/** The digest under which a text is stored, so that a task can name it. */
export function textDigest(text: string): Digest {
  return Digest.parse(`sha256:${bytesToHex(sha256(utf8ToBytes(text)))}`);
}
