import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, type Canonical } from './canonical-json.js';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const { value } = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
}));

test('parsing a spelling gives the value, and spelling that gives the same text', () => {
  fc.assert(
    fc.property(value, (any) => {
      const spelled = canonicalJson(any);
      const parsed = JSON.parse(spelled) as Canonical;
      expect(parsed).toEqual(any);
      expect(canonicalJson(parsed)).toBe(spelled);
    }),
    { numRuns: 1_000 },
  );
});

test('the order in which members were added does not show', () => {
  fc.assert(
    fc.property(fc.dictionary(text, value, { maxKeys: 8 }), (object) => {
      const turned = Object.fromEntries(Object.entries(object).reverse());
      expect(canonicalJson(turned)).toBe(canonicalJson(object));
    }),
  );
});

test('keys stand in the order of their UTF-16 units, and nothing stands between tokens', () => {
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 8 }), (keys) => {
      const object = Object.fromEntries(keys.map((key) => [key, 0]));
      const members = [...keys].sort().map((key) => `${JSON.stringify(key)}:0`);
      expect(canonicalJson(object)).toBe(`{${members.join(',')}}`);
    }),
  );
});
