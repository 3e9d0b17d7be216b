import { toDecimal } from '@tidemill/protocol';

/** A number the schema has already bounded, as text. */
export function decimal(value: number): string {
  return toDecimal(value) ?? '0';
}

/** The scaling of features as a task carries it; null when features stay as they are. */
export function scaleOf(scale: { readonly subtract: number; readonly divide: number } | undefined) {
  return scale === undefined
    ? null
    : { subtract: decimal(scale.subtract), divide: decimal(scale.divide) };
}
