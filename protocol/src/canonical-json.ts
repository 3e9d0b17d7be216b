/** What canonical JSON can carry. Numbers are safe integers only: a fraction has more than one spelling. */
export type Canonical =
  | null
  | boolean
  | number
  | string
  | readonly Canonical[]
  | { readonly [key: string]: Canonical | undefined };

/**
 * The one spelling of a value: keys sorted by UTF-16 code unit, no white space, members whose value is undefined left out
 * (the subset of RFC 8785 without fractions). Everything that is signed or hashed as JSON is spelled by this function.
 *
 * Languages that sort by code point (Python, Rust) agree as long as no key has a character beyond U+FFFF; for such keys they
 * have to compare UTF-16 units. `vectors/canonical-json.json` has a case.
 *
 * @throws TypeError for a fraction, an unsafe integer, half of a surrogate pair, or what JSON cannot carry; it names the member.
 */
export function canonicalJson(value: Canonical): string {
  return write(value, '$');
}

function write(value: Canonical, at: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value, at);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError(`${at} is not a safe integer: ${value}`);
    return String(value === 0 ? 0 : value); // −0 has no spelling of its own
  }
  if (typeof value !== 'object') throw new TypeError(`${at} is a ${typeof value}`);
  if (isList(value)) return `[${value.map((item, i) => write(item, `${at}[${i}]`)).join(',')}]`;

  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${quoted(key, at)}:${write(member, `${at}.${key}`)}`);
  }
  return `{${members.join(',')}}`;
}

/** Half of a surrogate pair has no UTF-8, so its bytes would differ from one language to the next. */
function quoted(text: string, at: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError(`${at} has half of a surrogate pair`);
  return JSON.stringify(text);
}

function isList(value: object): value is readonly Canonical[] {
  return Array.isArray(value);
}
