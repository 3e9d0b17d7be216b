import { canonicalJson } from '../canonical-json.js';
import { tagged, TAGS, utf8ToBytes } from '../crypto.js';

/** What the operator says of its trail at a size. Hashes are lower-case hex. */
export interface TrailCheckpoint {
  readonly network: string;
  /** How many events it covers: those at places 0 to size − 1. */
  readonly size: number;
  /** The RFC 6962 root over them. */
  readonly root: string;
  /** The chain hash of the last of them. */
  readonly chain: string;
  readonly atMs: number;
}

/** A checkpoint with the key that vouches for it. */
export interface SignedTrailCheckpoint extends TrailCheckpoint {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** The bytes that a checkpoint's signature covers. */
export function checkpointBytes({ network, size, root, chain, atMs }: TrailCheckpoint): Uint8Array {
  return tagged(TAGS.checkpoint, utf8ToBytes(canonicalJson({ network, size, root, chain, atMs })));
}
