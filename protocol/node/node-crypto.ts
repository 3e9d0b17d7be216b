import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  encodeBase58,
  isSoundPublicKey,
  type Sha256,
  type VerifySignature,
} from '@tidemill/protocol';

/**
 * SHA-256 by node:crypto. Small inputs take its one-shot form by way of a text, whose bytes come from Node's pool: half the time
 * of asking for a buffer, which allocates outside the heap for 32 bytes.
 */
export const nodeSha256: Sha256 = (bytes) =>
  bytes.length < 65_536
    ? Buffer.from(hash('sha256', bytes, 'binary'), 'latin1')
    : createHash('sha256').update(bytes).digest();

/** DER of an ed25519 public key (RFC 8410) up to the 32 key bytes. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
/** DER of an ed25519 private key (RFC 8410) up to the 32 seed bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * A verifier that keeps the last keys' parsed objects: parsing costs as much as checking. Malformed keys and signatures are
 * not valid; small-order keys are to be refused when a key is registered (`isSoundPublicKey`).
 */
export function nodeVerifier(keptKeys = 4_096): VerifySignature {
  const kept = new Map<string, KeyObject>();
  return (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const name = Buffer.from(publicKey).toString('base64');
    let key = kept.get(name);
    if (key === undefined) {
      try {
        key = createPublicKey({
          key: Buffer.concat([SPKI, publicKey]),
          format: 'der',
          type: 'spki',
        });
      } catch {
        return false;
      }
      if (kept.size >= keptKeys) kept.delete(kept.keys().next().value ?? '');
      kept.set(name, key);
    }
    return verify(null, message, key, signature);
  };
}

/** A key that signs. The secret stays inside. */
export interface Signer {
  readonly publicKey: Uint8Array;
  readonly address: string;
  sign(message: Uint8Array): Uint8Array;
}

/** The signer of a Solana-style key file: a JSON array of 64 bytes (seed, then public key). @throws Error that names the file */
export function loadSigner(file: string): Signer {
  const bytes = secretBytes(file);
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8, bytes.subarray(0, 32)]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  if (!publicKey.equals(bytes.subarray(32)) || !isSoundPublicKey(publicKey)) {
    throw new Error(`${file}: the public half does not belong to the secret half`);
  }
  return {
    publicKey,
    address: encodeBase58(publicKey),
    sign: (message) => sign(null, message, key),
  };
}

function secretBytes(file: string): Buffer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file}: cannot be read as a key file`, { cause });
  }
  if (
    !Array.isArray(parsed) ||
    parsed.length !== 64 ||
    !parsed.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)
  ) {
    throw new Error(`${file}: a key file is a JSON array of 64 bytes`);
  }
  return Buffer.from(parsed as number[]); // every element was checked
}

/** Makes a new key file that only its owner can read. @throws when the file exists: a key is never overwritten */
export function createKeyFile(file: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const shown = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify([...seed, ...shown]), { mode: 0o600, flag: 'wx' });
  chmodSync(file, 0o600);
  return loadSigner(file);
}
