import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from './json-scan.js';

const CODES = ['JSON_MALFORMED', 'JSON_TOO_DEEP', 'JSON_DUPLICATE_KEY', 'JSON_FORBIDDEN_KEY'];
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];
const LIMIT = 1_000_000;

test('arbitrary text is refused with a code or parsed, and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const parsed = parseJson(text, LIMIT);
      if (!parsed.ok) expect(CODES).toContain(parsed.code);
    }),
    { numRuns: 2_000 },
  );
});

test('text made of the signs JSON is made of never throws, and is parsed as JSON.parse does when taken', () => {
  const sign = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    '\\"',
    '"a"',
    '"b":',
    '1',
    ' ',
    'true',
    '\\u0061',
  );
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 24 }), (signs) => {
      const text = signs.join('');
      const parsed = parseJson(text, LIMIT);
      if (parsed.ok) expect(parsed.value).toEqual(JSON.parse(text));
      else expect(CODES).toContain(parsed.code);
    }),
    { numRuns: 20_000 },
  );
});

test('what JSON.stringify writes is read back, unless a key is one of the forbidden', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const hasForbidden = FORBIDDEN.some((key) => new RegExp(`"${key}"\\s*:`).test(text));
      const parsed = parseJson(text, LIMIT);
      if (hasForbidden) expect(parsed.ok).toBe(false);
      else expect(parsed).toEqual({ ok: true, value: JSON.parse(text) });
    }),
    { numRuns: 1_000 },
  );
});

test('a key that was added a second time is found, however it is spelled', () => {
  const key = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 6 })
    .filter((text) => !FORBIDDEN.includes(text));
  const spelled = (text: string, escapes: readonly boolean[]) =>
    `"${text
      .split('')
      .map((unit, i) =>
        escapes[i % escapes.length]
          ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
          : JSON.stringify(unit).slice(1, -1),
      )
      .join('')}"`;
  const escapes = fc.array(fc.boolean(), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      key,
      escapes,
      escapes,
      fc.uniqueArray(fc.integer(), { maxLength: 3 }),
      (text, first, second, others) => {
        const between = others.map((n) => `"between ${n}":[{}],`).join('');
        const json = `{${spelled(text, first)}:1,${between}${spelled(text, second)}:2}`;
        expect(parseJson(json, LIMIT)).toMatchObject({ ok: false, code: 'JSON_DUPLICATE_KEY' });
      },
    ),
    { numRuns: 1_000 },
  );
});
