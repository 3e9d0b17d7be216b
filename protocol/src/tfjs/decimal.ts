import { z } from 'zod';

/** A number as text: hashed JSON carries no fractions, and this text gives back the very same double. */
export const Decimal = z
  .string()
  .max(32)
  .regex(/^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d{1,3})?$/, 'a decimal number')
  .refine((text) => Number.isFinite(Number(text)), 'a finite number');
export type Decimal = string;

/** The shortest decimal that reads back as `value`; null for NaN and the infinities. −0 becomes 0. */
export function toDecimal(value: number): Decimal | null {
  return Number.isFinite(value) ? String(value === 0 ? 0 : value) : null;
}
