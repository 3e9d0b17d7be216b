const MARK = '\u0001';

/** JSON with bigints as plain numbers, as Solana writes u64: `JSON.stringify` would refuse them, and a Number would round them. */
export function exactJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? `${MARK}${member}` : member,
  );
  return text.replace(/"\\u0001(\d+)"/g, '$1');
}
