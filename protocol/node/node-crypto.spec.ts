import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeyFile, loadSigner, nodeSha256, nodeVerifier } from './node-crypto.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const message = fc.uint8Array({ maxLength: 200 });
const verify = nodeVerifier();
/** The order of the group: S and S + L say the same, and only S may pass. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemill-keys-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function plusL(signature: Uint8Array): Uint8Array {
  const s = signature.slice(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) + L;
  const changed = Uint8Array.from(signature);
  for (let i = 0; i < 32; i += 1) changed[32 + i] = Number((s >> BigInt(8 * i)) & 0xffn);
  return changed;
}

test('SHA-256 agrees with noble, below and above the size at which its way changes', () => {
  for (const length of [0, 1, 65_535, 65_536, 100_000]) {
    const data = new Uint8Array(length).fill(length % 251);
    expect(Buffer.from(nodeSha256(data)).equals(Buffer.from(sha256(data)))).toBe(true);
  }
});

describe('the verifier', () => {
  test('takes what noble signed', () => {
    fc.assert(
      fc.property(bytes(32), message, (secret, text) => {
        expect(verify(ed25519.getPublicKey(secret), text, ed25519.sign(text, secret))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('says what noble says of signatures with a bit turned', () => {
    fc.assert(
      fc.property(bytes(32), message, fc.nat(511), (secret, text, bit) => {
        const key = ed25519.getPublicKey(secret);
        const signature = ed25519.sign(text, secret);
        signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(verify(key, text, signature)).toBe(false);
        expect(ed25519.verify(signature, text, key, { zip215: false })).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  test('refuses S + L, which would be a second signature of the same', () => {
    fc.assert(
      fc.property(bytes(32), message, (secret, text) => {
        const signature = ed25519.sign(text, secret);
        expect(verify(ed25519.getPublicKey(secret), text, plusL(signature))).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  test('refuses another message and another key', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), message, (secret, other, text) => {
        fc.pre(Buffer.compare(secret, other) !== 0);
        const signature = ed25519.sign(text, secret);
        expect(verify(ed25519.getPublicKey(other), text, signature)).toBe(false);
        expect(verify(ed25519.getPublicKey(secret), Uint8Array.from([...text, 0]), signature)).toBe(
          false,
        );
      }),
      { numRuns: 50 },
    );
  });

  test('refuses keys and signatures of other lengths, and never throws', () => {
    const secret = new Uint8Array(32).fill(1);
    const key = ed25519.getPublicKey(secret);
    const text = new Uint8Array(3);
    const signature = ed25519.sign(text, secret);
    expect(verify(key.slice(1), text, signature)).toBe(false);
    expect(verify(Uint8Array.from([...key, 0]), text, signature)).toBe(false);
    expect(verify(key, text, signature.slice(0, 63))).toBe(false);
    expect(verify(key, text, Uint8Array.from([...signature, 0]))).toBe(false);
    expect(verify(key, text, new Uint8Array())).toBe(false);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        message,
        fc.uint8Array({ maxLength: 70 }),
        (anyKey, anyText, anySignature) => {
          expect(verify(anyKey, anyText, anySignature)).toBe(false);
        },
      ),
    );
    fc.assert(
      fc.property(bytes(32), message, bytes(64), (anyKey, anyText, anySignature) => {
        expect(typeof verify(anyKey, anyText, anySignature)).toBe('boolean');
      }),
    );
  });

  test('says the same when it keeps only one key in mind', () => {
    const forgetful = nodeVerifier(1);
    const text = Uint8Array.from([1]);
    for (const seed of [1, 2, 1, 1, 2]) {
      const secret = new Uint8Array(32).fill(seed);
      expect(forgetful(ed25519.getPublicKey(secret), text, ed25519.sign(text, secret))).toBe(true);
      expect(
        forgetful(ed25519.getPublicKey(secret), text, ed25519.sign(text, new Uint8Array(32))),
      ).toBe(false);
    }
  });
});

describe('a key file', () => {
  test('is made for its owner alone, in a folder for its owner alone', () => {
    const before = process.umask(0);
    try {
      createKeyFile(join(folder, 'deep', 'er', 'key.json'));
    } finally {
      process.umask(before);
    }
    expect(statSync(join(folder, 'deep', 'er', 'key.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep', 'er')).mode & 0o777).toBe(0o700);
  });

  test('is never written over', () => {
    const file = join(folder, 'kept.json');
    const { address } = createKeyFile(file);
    const content = readFileSync(file, 'utf8');
    expect(() => createKeyFile(file)).toThrow(/EEXIST/);
    expect(readFileSync(file, 'utf8')).toBe(content);
    expect(loadSigner(file).address).toBe(address);
  });

  test('is a JSON array of seed and public key, as Solana tools write it', () => {
    const file = join(folder, 'solana.json');
    const seed = new Uint8Array(32).fill(1);
    writeFileSync(file, JSON.stringify([...seed, ...ed25519.getPublicKey(seed)]));
    const signer = loadSigner(file);
    expect(signer.address).toBe('AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9');
    const text = Uint8Array.from([1, 2, 3]);
    expect(Buffer.from(signer.sign(text)).equals(ed25519.sign(text, seed))).toBe(true);
    expect(verify(signer.publicKey, text, signer.sign(text))).toBe(true);
  });

  const seed = [...new Uint8Array(32).fill(1)];
  const key = [...ed25519.getPublicKey(new Uint8Array(32).fill(1))];
  test.each([
    ['no JSON', 'secret', 'cannot be read as a key file'],
    ['not an array', '{}', 'a key file is a JSON array of 64 bytes'],
    [
      'cut off',
      JSON.stringify([...seed, ...key.slice(1)]),
      'a key file is a JSON array of 64 bytes',
    ],
    ['too long', JSON.stringify([...seed, ...key, 0]), 'a key file is a JSON array of 64 bytes'],
    [
      'made of larger numbers',
      JSON.stringify([...seed, ...key.slice(1), 256]),
      'a key file is a JSON array of 64 bytes',
    ],
    [
      'made of fractions',
      JSON.stringify([...seed, ...key.slice(1), 0.5]),
      'a key file is a JSON array of 64 bytes',
    ],
    [
      'made of texts',
      JSON.stringify([...seed, ...key].map(String)),
      'a key file is a JSON array of 64 bytes',
    ],
    [
      'of two keys',
      JSON.stringify([...seed, ...ed25519.getPublicKey(new Uint8Array(32))]),
      'does not belong to the secret half',
    ],
  ])('that is %s is refused with its name', (_, content, message) => {
    const file = join(folder, 'broken.json');
    writeFileSync(file, content);
    expect(() => loadSigner(file)).toThrow(new RegExp(`broken\\.json: .*${message}`));
  });

  test('that is missing is refused with its name, and so is one that may not be read', () => {
    expect(() => loadSigner(join(folder, 'none.json'))).toThrow(/none\.json: cannot be read/);
    const file = join(folder, 'locked.json');
    createKeyFile(file);
    chmodSync(file, 0o000);
    // The superuser may read everything.
    if (process.getuid?.() === 0) expect(loadSigner(file).address).toHaveLength(44);
    else expect(() => loadSigner(file)).toThrow(/locked\.json: cannot be read/);
  });

  test('does not show its secret in what it says', () => {
    const file = join(folder, 'mixed.json');
    writeFileSync(file, JSON.stringify([...Array<number>(32).fill(213), ...key]));
    let said = '';
    try {
      loadSigner(file);
    } catch (cause) {
      said = String(cause);
    }
    expect(said).toContain('does not belong to the secret half');
    expect(said).not.toContain('213,213');
  });
});
