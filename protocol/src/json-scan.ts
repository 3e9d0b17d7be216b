/** Deeper than any document of ours; a parser that recurses dies at some ten thousand. */
export const MAX_JSON_DEPTH = 64;

export type JsonRefusal =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code:
        | 'JSON_MALFORMED'
        | 'JSON_TOO_DEEP'
        | 'JSON_DUPLICATE_KEY'
        | 'JSON_TOO_LARGE'
        | 'JSON_FORBIDDEN_KEY';
      readonly message: string;
      /** Offset in UTF-16 code units, where there is one. */
      readonly position?: number;
    };

/** Keys that turn into something else than data when an object is copied carelessly. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const COLON = 58;

/**
 * Parses JSON from a stranger. `JSON.parse` alone takes 100,000 nested arrays and silently keeps the last of two equal keys,
 * so nesting, repeated keys and keys that reach a prototype are refused by one pass over the text before it.
 */
export function parseJson(text: string, maxLength: number): JsonRefusal {
  if (text.length > maxLength) {
    return refuse('JSON_TOO_LARGE', `${text.length} characters, the limit is ${maxLength}`);
  }
  const refusal = scan(text);
  if (refusal !== null) return refusal;
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (cause) {
    return refuse('JSON_MALFORMED', cause instanceof Error ? cause.message : 'not JSON');
  }
}

function scan(text: string): JsonRefusal | null {
  // One entry per open bracket: the keys of an object, or null for an array.
  const open: (Set<string> | null)[] = [];
  let i = 0;
  while (i < text.length) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) {
      const end = endOfString(text, i);
      if (end < 0) return refuse('JSON_MALFORMED', 'a string does not end', i);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) {
        const key = plainKey(text, i, end);
        if (key === null) return refuse('JSON_MALFORMED', 'a key is not a string', i);
        if (FORBIDDEN_KEYS.has(key))
          return refuse('JSON_FORBIDDEN_KEY', `the key ${key} is not allowed`, i);
        if (keys.has(key))
          return refuse('JSON_DUPLICATE_KEY', `the key ${key.slice(0, 64)} stands twice`, i);
        keys.add(key);
      }
      i = end;
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      if (open.length === MAX_JSON_DEPTH)
        return refuse('JSON_TOO_DEEP', `more than ${MAX_JSON_DEPTH} levels`, i);
      open.push(char === OPEN_OBJECT ? new Set() : null);
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
      open.pop();
    }
    i += 1;
  }
  return null;
}

/** Index of the closing quote, or −1. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; ; i += 1) {
    i = text.indexOf('"', i);
    if (i < 0) return -1;
    let slashes = 0;
    while (text.charCodeAt(i - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return i;
  }
}

function isKey(text: string, end: number): boolean {
  for (let i = end + 1; i < text.length; i += 1) {
    const char = text.charCodeAt(i);
    if (char === COLON) return true;
    if (char !== 32 && char !== 9 && char !== 10 && char !== 13) return false;
  }
  return false;
}

/** The key as it will be after parsing, so that "a" and "\u0061" count as the same. */
function plainKey(text: string, start: number, end: number): string | null {
  const raw = text.slice(start + 1, end);
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(text.slice(start, end + 1)) as string; // a JSON string parses to a string
  } catch {
    return null;
  }
}

function refuse(
  code: Extract<JsonRefusal, { ok: false }>['code'],
  message: string,
  position?: number,
): JsonRefusal {
  return position === undefined
    ? { ok: false, code, message }
    : { ok: false, code, message, position };
}
