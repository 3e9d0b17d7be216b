import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCountRange, parseSizeRange, ResourcesSpec } from './resources.js';

const milli = fc.integer({ min: 1, max: 4_096_000 });
const mib = fc.integer({ min: 0, max: 64 * 1_024 * 1_024 });

test('thousandths written as a decimal are read back exactly, from text and from a number', () => {
  fc.assert(
    fc.property(milli, (any) => {
      expect(parseCountRange(String(any / 1_000))).toEqual({ min: any });
      expect(parseCountRange(any / 1_000)).toEqual({ min: any });
    }),
    { numRuns: 1_000 },
  );
});

test('a range is taken when its ends are in order', () => {
  fc.assert(
    fc.property(milli, milli, mib, mib, (a, b, small, large) => {
      expect(parseCountRange(`${a / 1_000}..${b / 1_000}`)).toEqual(
        a <= b ? { min: a, max: b } : null,
      );
      expect(parseSizeRange(`${small}MB..${large}MB`)).toEqual(
        small <= large ? { min: small, max: large } : null,
      );
    }),
  );
});

test('every thousandth of a GPU can be asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 64_000 }), (any) => {
      expect(ResourcesSpec.safeParse({ gpus: any / 1_000 }).success).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test('arbitrary text gives a range inside the limits or nothing', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789.MGTB ') });
  fc.assert(
    fc.property(text, (any) => {
      const size = parseSizeRange(any);
      if (size !== null) expect(size.max ?? size.min).toBeLessThanOrEqual(64 * 1_024 * 1_024);
      const count = parseCountRange(any);
      if (count !== null) expect(count.max ?? count.min).toBeLessThanOrEqual(4_096_000);
    }),
    { numRuns: 1_000 },
  );
});
