import { describe, expect, test } from 'vitest';
import { MAX_JSON_DEPTH, parseJson } from './json-scan.js';

const MIB = 1024 * 1024;
const codeOf = (text: string) => {
  const parsed = parseJson(text, 4 * MIB);
  return parsed.ok ? 'ok' : parsed.code;
};

test.each([
  ['{}', {}],
  [' [1, "a", null, true] ', [1, 'a', null, true]],
  ['"text"', 'text'],
  ['{"a":{"b":1},"b":[{"a":2},{"a":3}]}', { a: { b: 1 }, b: [{ a: 2 }, { a: 3 }] }],
  ['{"a":"\\"b\\":1,\\"b\\":2"}', { a: '"b":1,"b":2' }],
  ['{"a\\\\":1,"a":2}', { 'a\\': 1, a: 2 }],
  ['["a","a","__proto__"]', ['a', 'a', '__proto__']],
  ['{"a":"b","b":"a"}', { a: 'b', b: 'a' }],
])('takes %s', (text, value) => {
  expect(parseJson(text, 100)).toEqual({ ok: true, value });
});

test.each([
  '',
  ' ',
  '{',
  '[1,]',
  '{"a"}',
  '{"a":1,}',
  '"',
  '"\\',
  '"\\"',
  '01',
  'nul',
  '[}',
  ']',
  '\u00a0{}',
  '{"\\x":1}',
])('says that %j is not JSON', (text) => {
  expect(codeOf(text)).toBe('JSON_MALFORMED');
});

describe('keys', () => {
  test.each([
    ['plainly', '{"a":1,"a":2}'],
    ['with something between', '{"a":1,"b":{"a":2},"a":3}'],
    ['once escaped', '{"a":1,"\\u0061":2}'],
    ['escaped in two ways', '{"\\/":1,"/":2}'],
    ['as halves of a pair', '{"\\ud83d\\ude00":1,"😀":2}'],
    ['that are empty', '{"":1,"":2}'],
    ['in an object inside a list', '[[{"x":0},{"a":1,"a":2}]]'],
    ['with white space before the colon', '{"a" \t\r\n:1,"a"\n:2}'],
  ])('that stand twice are refused: %s', (_, text) => {
    expect(codeOf(text)).toBe('JSON_DUPLICATE_KEY');
  });

  test.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__', '\\u005F\\u005Fproto__'])(
    '%s is refused at any depth',
    (key) => {
      expect(codeOf(`{"${key}":{}}`)).toBe('JSON_FORBIDDEN_KEY');
      expect(codeOf(`[{"a":{"${key}":1}}]`)).toBe('JSON_FORBIDDEN_KEY');
    },
  );

  test('a refusal says where', () => {
    expect(parseJson('{"a":1, "a":2}', 100)).toMatchObject({ position: 8 });
    expect(parseJson('{"é":{"__proto__":2}}', 100)).toMatchObject({ position: 6 });
  });

  test('a long key that stands twice is named by its beginning', () => {
    const key = 'k'.repeat(10_000);
    const refused = parseJson(`{"${key}":1,"${key}":2}`, MIB);
    expect(refused).toMatchObject({ code: 'JSON_DUPLICATE_KEY' });
    expect(JSON.stringify(refused).length).toBeLessThan(200);
  });
});

describe('limits', () => {
  test.each(['[', '{"a":'])(
    '%s may be opened as often as the limit says and not once more',
    (open) => {
      const close = open === '[' ? ']' : '}';
      const nested = (levels: number) => `${open.repeat(levels - 1)}[]${close.repeat(levels - 1)}`;
      expect(codeOf(nested(MAX_JSON_DEPTH))).toBe('ok');
      expect(codeOf(nested(MAX_JSON_DEPTH + 1))).toBe('JSON_TOO_DEEP');
    },
  );

  test('brackets inside texts do not count', () => {
    expect(codeOf(JSON.stringify('[{'.repeat(1_000)))).toBe('ok');
  });

  test('a text may be as long as the limit and not longer', () => {
    expect(parseJson('"abc"', 5).ok).toBe(true);
    expect(parseJson('"abc"', 4)).toMatchObject({ code: 'JSON_TOO_LARGE' });
  });
});

/** Each is a mebibyte made to send a scanner back over what it has read. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ['backslashes', `"${'\\'.repeat(MIB)}`],
  ['backslashes that end', `{"a":"${'\\\\'.repeat(MIB / 2)}"}`],
  ['escaped quotes', `"${'\\"'.repeat(MIB / 2)}`],
  ['runs of backslashes before quotes', `"${`${'\\'.repeat(1_023)}"`.repeat(1_024)}`],
  ['quotes', '"'.repeat(MIB)],
  ['quotes in an object', `{${'"'.repeat(MIB)}`],
  ['open brackets', '['.repeat(MIB)],
  ['closed brackets', ']'.repeat(MIB)],
  ['brackets opened and closed', `[${'[],'.repeat(MIB / 3)}0]`],
  ['white space', ' '.repeat(MIB)],
  ['white space after a text', `{"a"${' '.repeat(MIB)}`],
  ['texts and white space', `{${`""${' '.repeat(1_022)}`.repeat(1_024)}`],
  ['colons', `{${'"":'.repeat(MIB / 3)}`],
  ['objects with one key', `[${'{"a":1},'.repeat(MIB / 8)}0]`],
  ['many keys', `{${Array.from({ length: MIB / 12 }, (_, i) => `"${i}":0`).join(',')}}`],
  ['a key with escapes', `{"${'\\u0061'.repeat(MIB / 6)}":1}`],
  [
    'many keys with escapes',
    `{${Array.from({ length: MIB / 16 }, (_, i) => `"\\n${i}":0`).join(',')}}`,
  ],
  ['digits', '1'.repeat(MIB)],
];

/** On the slowest of machines a linear scan stays below; anything quadratic takes minutes for a mebibyte. */
const LIMIT_MS = 200;

test.each(HOSTILE)('a mebibyte of %s takes milliseconds', (_, text) => {
  let leastMs = Infinity;
  // The best of a few: the first pays for compiling.
  for (let run = 0; run < 5 && leastMs >= LIMIT_MS; run += 1) {
    const before = process.cpuUsage();
    parseJson(text, 2 * MIB);
    const { user, system } = process.cpuUsage(before);
    leastMs = Math.min(leastMs, (user + system) / 1_000);
  }
  expect(leastMs).toBeLessThan(LIMIT_MS);
});
