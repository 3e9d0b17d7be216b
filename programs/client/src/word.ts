import anchor from '@coral-xyz/anchor';

/** A number of 64 bits as Anchor's coder takes it. Its library brings no types of its own. */
export interface Word {
  toString(): string;
}

const BigNumber = anchor.BN as unknown as new (decimal: string) => Word;

export const word = (value: bigint): Word => new BigNumber(value.toString());

/** Every amount of a record as Anchor's coder takes it. */
export function asWords<Fields extends { readonly [Key in keyof Fields]: bigint }>(
  fields: Fields,
): { [Key in keyof Fields]: Word } {
  const entries = Object.entries<bigint>(fields).map(([name, value]) => [name, word(value)]);
  return Object.fromEntries(entries) as { [Key in keyof Fields]: Word };
}
