import { describe, expect, test } from 'vitest';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeCsv, inspectCsv } from './csv.js';

const csv = (text: string) => utf8ToBytes(text);

describe('reading a CSV file', () => {
  test('gives the wanted columns in the wanted order', () => {
    const result = decodeCsv(csv('a,b,name,y\n1,2.5,x,0\n-3e2,.5,"y, z",1\n'), ['b', 'a']);
    expect(result).toMatchObject({
      ok: true,
      value: { rows: 2, values: new Float32Array([2.5, 1, 0.5, -300]) },
    });
  });

  test('reads CRLF, quotes, a byte-order mark, spaces and a last line without its end', () => {
    const result = decodeCsv(csv('\ufeff"a ""b""", c \r\n"1", 2 \r\n3,4'), ['a "b"', 'c']);
    expect(result).toMatchObject({
      ok: true,
      value: { rows: 2, values: new Float32Array([1, 2, 3, 4]) },
    });
  });

  test('reads every digit of a long number, not only of short ones', () => {
    const result = decodeCsv(csv('a\n123456789\n1234567890\n0.1\n1e-3\n'), ['a']);
    expect(result.ok && [...result.value.values]).toEqual(
      [123456789, 1234567890, 0.1, 0.001].map(Math.fround),
    );
  });

  test('lets NaN and infinities through as numbers, for the survey to find', () => {
    const result = decodeCsv(csv('a\nnan\n-Infinity\n'), ['a']);
    expect(result.ok && [...result.value.values]).toEqual([NaN, -Infinity]);
  });

  test('counts rows and names columns without looking at values', () => {
    expect(inspectCsv(csv('a,b\nx,y\n'))).toEqual({
      ok: true,
      value: { columns: ['a', 'b'], rows: 1 },
    });
  });

  test.each([
    ['an empty file', '', { code: 'CSV_EMPTY' }],
    ['a row that is too short', 'a,b\n1,2\n3\n', { code: 'CSV_RAGGED', row: 2 }],
    ['a row that is too long', 'a,b\n1,2,3\n', { code: 'CSV_RAGGED', row: 1 }],
    ['an empty line in the middle', 'a,b\n\n1,2\n', { code: 'CSV_RAGGED', row: 1 }],
    ['a quote that stays open', 'a\n"1\n', { code: 'CSV_QUOTE', row: 1, column: 1 }],
    ['text behind a quote', 'a\n"1"2\n', { code: 'CSV_QUOTE', row: 1 }],
    ['a quote inside a field', 'a\n1"2\n', { code: 'CSV_QUOTE', row: 1 }],
    ['two columns of one name', 'a,a\n1,2\n', { code: 'CSV_HEADER', column: 2 }],
    ['a column without a name', 'a,\n1,2\n', { code: 'CSV_HEADER', column: 2 }],
    ['a word for a number', 'a\n1\ntwo\n', { code: 'CSV_NOT_A_NUMBER', row: 2, column: 'a' }],
    ['a hexadecimal number', 'a\n0x10\n', { code: 'CSV_NOT_A_NUMBER', row: 1, column: 'a' }],
    ['a missing value', 'a,b\n1,2\n,4\n', { code: 'CSV_MISSING_VALUE', row: 2, column: 'a' }],
    ['a field that is too long', `a\n${'1'.repeat(300)}\n`, { code: 'CSV_FIELD_TOO_LONG', row: 1 }],
  ])('refuses %s and says where', (_, text, fault) => {
    expect(decodeCsv(csv(text), ['a'])).toMatchObject({ ok: false, fault });
  });

  test('refuses a column that is not there, and a name that is not UTF-8', () => {
    expect(decodeCsv(csv('a\n1\n'), ['b'])).toMatchObject({
      ok: false,
      fault: { code: 'CSV_UNKNOWN_COLUMN', column: 'b' },
    });
    expect(decodeCsv(Uint8Array.of(0xc0, 0x80, 0x0a), ['a'])).toMatchObject({
      ok: false,
      fault: { code: 'CSV_ENCODING' },
    });
  });
});
