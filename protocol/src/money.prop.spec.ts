import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAmount, MAX_AMOUNT, MAX_MONEY, Money, parseAmount } from './money.js';

const units = fc.bigInt({ min: 0n, max: MAX_AMOUNT });

test('what is written is read back exactly', () => {
  fc.assert(
    fc.property(units, (any) => {
      expect(parseAmount(formatAmount(any))).toBe(any);
    }),
  );
});

test('what was read is written in its shortest form, which is read the same', () => {
  const decimal = fc.tuple(
    fc.integer({ min: 0, max: 999_999_999 }),
    fc.integer({ min: 0, max: 6 }),
    fc.nat(999_999),
  );
  fc.assert(
    fc.property(decimal, ([whole, places, fraction]) => {
      const text =
        places === 0
          ? String(whole)
          : `${whole}.${String(fraction).padStart(6, '0').slice(0, places)}`;
      const parsed = parseAmount(text) ?? -1n;
      expect(parsed * 10n ** BigInt(places)).toBe(BigInt(text.replace('.', '')) * 1_000_000n);
      const written = formatAmount(parsed);
      expect(written).not.toMatch(/\.\d*0$/);
      expect(parseAmount(written)).toBe(parsed);
    }),
  );
});

test('arbitrary text is an amount only if it is a plain decimal', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.-+e ') }), (text) => {
      const parsed = parseAmount(text);
      if (parsed !== null) expect(text).toMatch(/^\d+(\.\d+)?$/);
    }),
    { numRuns: 1_000 },
  );
});

test('a number with six decimals in a spec counts as what it looks like', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MAX_MONEY / 1_000n }), (any) => {
      const number = Number(formatAmount(any));
      expect(Money.safeParse(number).success).toBe(true);
      expect(parseAmount(String(number))).toBe(any);
    }),
  );
});
