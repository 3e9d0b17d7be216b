import { describe, expect, test } from 'vitest';
import {
  amount,
  Ask,
  BaseUnits,
  formatAmount,
  MAX_AMOUNT,
  MAX_MONEY,
  Money,
  parseAmount,
} from './money.js';

test.each([
  ['0', 0n],
  ['1', 1_000_000n],
  ['1.2', 1_200_000n],
  ['1.20', 1_200_000n],
  ['0.000001', 1n],
  ['007.5', 7_500_000n],
  ['9223372036854.775807', MAX_AMOUNT],
])('%s tokens are %s base units', (text, units) => {
  expect(parseAmount(text)).toBe(units);
});

test.each([
  '',
  '.',
  '1.',
  '.5',
  '-1',
  '+1',
  '1e3',
  '1_000',
  '1,5',
  ' 1',
  '1 ',
  '1\n',
  '0x10',
  'NaN',
  '1.0000001',
  '٣',
])('%j is no amount', (text) => {
  expect(parseAmount(text)).toBeNull();
});

test('an amount beyond what the ledger holds is refused', () => {
  expect(parseAmount('9223372036854.775808')).toBeNull();
  expect(parseAmount('99999999999999')).toBeNull();
  expect(amount(MAX_AMOUNT)).toBe(MAX_AMOUNT);
  expect(() => amount(MAX_AMOUNT + 1n)).toThrow(RangeError);
  expect(() => amount(-1n)).toThrow(RangeError);
});

test.each([
  [0n, '0'],
  [1n, '0.000001'],
  [1_200_000n, '1.2'],
  [-1n, '-0.000001'],
  [-2_500_000n, '-2.5'],
  [10_000_000n, '10'],
])('%s base units are written %s', (units, text) => {
  expect(formatAmount(units)).toBe(text);
});

describe('money in a spec', () => {
  test.each([0, 1, 0.1, 1.2, 0.000001, '25', '1.20', '1000000000', 1e9])('may be %j', (value) => {
    expect(Money.safeParse(value).success).toBe(true);
  });

  test.each([
    -1,
    -0.5,
    1e-7,
    0.1 + 0.2,
    NaN,
    Infinity,
    1e21,
    '1000000000.000001',
    1e9 + 1,
    '1e3',
    '',
    null,
    [1],
  ])('may not be %j', (value) => {
    expect(Money.safeParse(value).success).toBe(false);
  });

  test('a number means the amount it is written as', () => {
    expect(parseAmount(String(0.29))).toBe(290_000n);
    expect(parseAmount(String(1.005))).toBe(1_005_000n);
  });

  test('sums over the largest batch fit the ledger', () => {
    expect(MAX_MONEY * 100n * 2n < MAX_AMOUNT).toBe(true);
  });
});

test.each([
  ['0', true],
  [String(MAX_MONEY), true],
  [String(MAX_MONEY + 1n), false],
  ['-1', false],
  ['-0', false],
  ['1.5', false],
  ['9'.repeat(19), false],
  ['', false],
])('an ask of %s base units is taken: %s', (text, taken) => {
  expect(Ask.safeParse(text).success).toBe(taken);
});

test.each([
  ['-9223372036854775808', true],
  ['9223372036854775807', true],
  ['1.5', false],
  ['', false],
  ['1e3', false],
])('%s is a number of base units: %s', (text, taken) => {
  expect(BaseUnits.safeParse(text).success).toBe(taken);
});
