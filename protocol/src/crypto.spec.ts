import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { nodeVerifier } from '../node/node-crypto.js';
import {
  bytesToHex,
  hexToBytes,
  isPlausiblePublicKey,
  isSoundPublicKey,
  tagged,
  TAGS,
  utf8ToBytes,
} from './crypto.js';

interface Keys {
  readonly smallOrder: readonly { name: string; hex: string }[];
  readonly otherSpellings: readonly { name: string; hex: string }[];
  readonly mixedOrder: readonly { name: string; hex: string; signature: string }[];
  readonly unsound: readonly { name: string; hex: string }[];
  readonly sound: readonly { name: string; hex: string }[];
}

// The file is ours and the tests below would fail on any other shape.
const keys = JSON.parse(
  readFileSync(new URL('../vectors/ed25519-keys.json', import.meta.url), 'utf8'),
) as Keys;

describe('a public key that cannot identify anybody is refused', () => {
  test.each([...keys.smallOrder, ...keys.otherSpellings, ...keys.mixedOrder, ...keys.unsound])(
    '$name: $hex',
    ({ hex }) => {
      expect(isSoundPublicKey(hexToBytes(hex))).toBe(false);
    },
  );

  test.each([0, 31, 33, 64])('%i bytes', (length) => {
    expect(isSoundPublicKey(new Uint8Array(length).fill(9))).toBe(false);
  });

  test('all eight points of small order are among the vectors', () => {
    const points = keys.smallOrder.map(({ hex }) => ed25519.Point.fromHex(hex));
    expect(points.filter((point) => point.isSmallOrder())).toHaveLength(8);
    expect(new Set(points.map((point) => point.toHex())).size).toBe(8);
  });

  test.each(keys.mixedOrder)(
    '$name looks like any other, and Node takes its signatures',
    ({ hex, signature }) => {
      expect(isPlausiblePublicKey(hexToBytes(hex))).toBe(true);
      const text = utf8ToBytes('tidemill');
      expect(nodeVerifier()(hexToBytes(hex), text, hexToBytes(signature))).toBe(true);
    },
  );

  test.each([...keys.smallOrder, ...keys.otherSpellings, ...keys.unsound])(
    '$name is not even plausible',
    ({ hex }) => {
      expect(isPlausiblePublicKey(hexToBytes(hex))).toBe(false);
    },
  );

  test('because Node takes a signature that nobody made', () => {
    // With the neutral element as the key, R = the base point and S = 1 are valid for every message.
    const neutral = hexToBytes(keys.smallOrder[0]?.hex ?? '');
    const one = new Uint8Array(32).fill(1, 0, 1);
    const signature = Uint8Array.from([...ed25519.Point.BASE.toBytes(), ...one]);
    expect(nodeVerifier()(neutral, utf8ToBytes('anything'), signature)).toBe(true);
  });
});

test.each(keys.sound)('$name is sound', ({ hex }) => {
  expect(isPlausiblePublicKey(hexToBytes(hex))).toBe(true);
  expect(isSoundPublicKey(hexToBytes(hex))).toBe(true);
});

test('the key of every secret is sound, and arbitrary bytes never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      expect(isSoundPublicKey(ed25519.getPublicKey(bytes))).toBe(true);
      expect(typeof isSoundPublicKey(bytes)).toBe('boolean');
    }),
    { numRuns: 50 },
  );
});

test('a tag stands before what is signed, on a line of its own', () => {
  const bytes = tagged(TAGS.receipts, Uint8Array.from([0, 255]));
  expect(bytesToHex(bytes)).toBe(`${bytesToHex(utf8ToBytes('tidemill/receipts/1'))}0a00ff`);
});

test('no tag is the beginning of another, so no two things have the same bytes', () => {
  const tags = Object.values(TAGS).map((tag) => `${tag}\n`);
  for (const tag of tags) expect(tags.filter((other) => other.startsWith(tag))).toEqual([tag]);
});
