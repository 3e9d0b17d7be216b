import { readFileSync } from 'node:fs';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type Canonical } from './canonical-json.js';
import { bytesToHex, utf8ToBytes } from './crypto.js';

interface Vectors {
  readonly spelled: readonly { name: string; value: Canonical; text: string; sha256: string }[];
  readonly refused: readonly { name: string; json: string }[];
}

// The file is ours and the tests below would fail on any other shape.
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/canonical-json.json', import.meta.url), 'utf8'),
) as Vectors;

describe('the vectors', () => {
  test.each(vectors.spelled)('spell $name', ({ value, text, sha256: digest }) => {
    expect(canonicalJson(value)).toBe(text);
    expect(bytesToHex(sha256(utf8ToBytes(text)))).toBe(digest);
    expect(JSON.parse(text)).toEqual(value);
  });

  test.each(vectors.refused)('refuse $name', ({ json }) => {
    expect(() => canonicalJson(JSON.parse(json) as Canonical)).toThrow(TypeError);
  });
});

test('members that are undefined are left out, so an absent member has one spelling', () => {
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
  expect(canonicalJson({ a: undefined })).toBe('{}');
});

test.each([
  ['a fraction', { rate: [0, 0.5] }, '$.rate[1] is not a safe integer: 0.5'],
  ['an unsafe integer', { step: 2 ** 53 }, '$.step is not a safe integer: 9007199254740992'],
  ['infinity', [Infinity], '$[0] is not a safe integer: Infinity'],
  ['not a number', NaN, '$ is not a safe integer: NaN'],
  ['a bigint', { price: 1n }, '$.price is a bigint'],
  ['a function', { run: () => 1 }, '$.run is a function'],
  ['undefined in a list', [undefined], '$[0] is a undefined'],
  ['half of a surrogate pair', { text: 'a\ud83d' }, '$.text has half of a surrogate pair'],
  ['a key with half of a surrogate pair', { a: { '\ude00': 1 } }, '$.a has half of a surrogate'],
])('refuses %s and names the member', (_, value, message) => {
  // The type forbids most of these; what comes from outside is not checked by it.
  expect(() => canonicalJson(value as Canonical)).toThrow(message);
});

test('the largest and smallest safe integers have a spelling', () => {
  expect(canonicalJson([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -0])).toBe(
    '[9007199254740991,-9007199254740991,0]',
  );
});
