import { canonicalJson } from '../canonical-json.js';
import { tagged, TAGS, utf8ToBytes } from '../crypto.js';

/**
 * What a witness says: at this moment I was shown this checkpoint, signed by this operator, and it continues every one that I was
 * shown before. It covers the root and not the chain hash, since the root is what a consistency proof speaks of.
 */
export interface WitnessStatement {
  readonly network: string;
  /** The operator's key in base58. */
  readonly operator: string;
  readonly size: number;
  /** The RFC 6962 root, lower-case hex. */
  readonly root: string;
  /** When the witness saw it, by its own clock, in milliseconds since 1970. */
  readonly atMs: number;
}

/** The bytes that a witness's signature covers. */
export function cosignatureBytes({
  network,
  operator,
  size,
  root,
  atMs,
}: WitnessStatement): Uint8Array {
  const text = canonicalJson({ network, operator, size, root, atMs });
  return tagged(TAGS.cosignature, utf8ToBytes(text));
}
