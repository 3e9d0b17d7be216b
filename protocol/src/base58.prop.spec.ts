import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase58, encodeBase58 } from './base58.js';
import { PublicKeyText, SignatureText } from './digest.js';

test('decoding gives back the bytes that were encoded, leading zeros included', () => {
  const zeros = fc.integer({ min: 0, max: 8 }).map((length) => new Uint8Array(length));
  fc.assert(
    fc.property(zeros, fc.uint8Array({ maxLength: 56 }), (front, rest) => {
      const bytes = Uint8Array.from([...front, ...rest]);
      expect(decodeBase58(encodeBase58(bytes))).toEqual(bytes);
    }),
  );
});

test('arbitrary text is null or the bytes that are spelled so, and never throws', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'12zZ0OIl') }),
  );
  fc.assert(
    fc.property(text, (any) => {
      const bytes = decodeBase58(any);
      if (bytes !== null) expect(encodeBase58(bytes)).toBe(any);
    }),
    { numRuns: 200 },
  );
});

test('every 32 bytes have the form of a public key, and every 64 that of a signature', () => {
  const edge = (length: number) =>
    fc.constantFrom(new Uint8Array(length), new Uint8Array(length).fill(255));
  const bytes = (length: number) =>
    fc.oneof(fc.uint8Array({ minLength: length, maxLength: length }), edge(length));
  fc.assert(
    fc.property(bytes(32), bytes(64), (key, signature) => {
      expect(PublicKeyText.safeParse(encodeBase58(key)).success).toBe(true);
      expect(SignatureText.safeParse(encodeBase58(signature)).success).toBe(true);
    }),
  );
});
