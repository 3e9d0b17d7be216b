import { InvalidArgumentError } from 'commander';
import { parseAmount, parseLabel } from '@tidemill/protocol';

/** Reads a whole number in a range; commander shows the message. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
  };

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Reads `500ms`, `2s`, `1m` or `1h` as milliseconds. */
export function duration(text: string): number {
  const match = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It is a duration such as 500ms, 2s or 1m.');
  return Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
}

/** Adds `key=value` to the labels given so far. */
export function addLabel(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const label = parseLabel(text);
  if (label === null) throw new InvalidArgumentError('It is a label such as team=vision.');
  return { ...before, [label[0]]: label[1] };
}

/** Checks an amount of tokens and leaves it as it was written, since a number could not hold it exactly. */
export function amountText(text: string): string {
  if (parseAmount(text) !== null) return text;
  throw new InvalidArgumentError('It is an amount with at most 6 decimals, such as 1.20.');
}
