import { z } from 'zod';

/** A token amount: a whole number of base units. */
export type Amount = bigint & { readonly __amount: true };

/** Decimals of the mint that prices are stated in (as USDC has). */
export const MINT_DECIMALS = 6;

/** Largest amount kept: PostgreSQL's bigint. 9.2 trillion tokens at 6 decimals. */
export const MAX_AMOUNT = 2n ** 63n - 1n;

/** The amount of so many base units. @throws RangeError outside 0 … MAX_AMOUNT */
export function amount(units: bigint): Amount {
  if (units < 0n || units > MAX_AMOUNT) throw new RangeError(`amount out of range: ${units}`);
  return units as Amount; // the range was checked
}

/** The exact amount of a decimal text such as `1.20`, or null: too many decimals, a sign, an exponent or too large. */
export function parseAmount(text: string): Amount | null {
  const match = /^(\d{1,13})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return null;
  const units =
    BigInt(match[1] ?? '0') * 10n ** BigInt(MINT_DECIMALS) +
    BigInt((match[2] ?? '').padEnd(MINT_DECIMALS, '0'));
  return units > MAX_AMOUNT ? null : (units as Amount); // the range was checked
}

/** An amount as people write it, without needless zeros: `1.2`. */
export function formatAmount(units: bigint): string {
  const sign = units < 0n ? '-' : '';
  const digits = (units < 0n ? -units : units).toString().padStart(MINT_DECIMALS + 1, '0');
  const fraction = digits.slice(-MINT_DECIMALS).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -MINT_DECIMALS)}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * Most that a spec may name or a worker ask: a billion tokens. Sums over the largest batch, and one and a half times it, still
 * fit `MAX_AMOUNT`.
 */
export const MAX_MONEY = 10n ** 15n;

/** Money in a spec: a decimal text or number with at most the mint's decimals, taken exactly. */
export const Money = z
  .union([z.string().max(24), z.number().nonnegative().max(Number.MAX_SAFE_INTEGER)])
  .meta({
    description:
      'An amount of tokens, as a decimal text or number with at most 6 decimals, up to 1,000,000,000.',
  })
  .refine((value) => (parseAmount(String(value)) ?? MAX_AMOUNT) <= MAX_MONEY, {
    message: 'an amount with at most 6 decimals, such as "1.20", up to 1000000000',
  });

/** A whole number of base units as text: bigint has no place in JSON. */
export const BaseUnits = z
  .string()
  .regex(/^-?\d{1,19}$/)
  .meta({ description: 'A whole number of base units (10⁻⁶ token).' });

/** What a worker asks for an hour, in base units. A negative one would take money out of its own earnings and stop the books. */
export const Ask = z
  .string()
  .regex(/^\d{1,16}$/, 'a whole number of base units')
  .refine((text) => !/^\d{1,16}$/.test(text) || BigInt(text) <= MAX_MONEY, {
    message: `at most ${MAX_MONEY} base units`,
  });
