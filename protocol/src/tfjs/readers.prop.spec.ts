import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeCsv, inspectCsv } from './csv.js';
import { decodeNpy } from './npy.js';
import { encodeNpy } from './npy-write.js';
import { TABLE_FAULTS } from './table-fault.js';
import { decodeUtf8 } from './utf8.js';

const named = (result: { ok: true } | { ok: false; fault: { code: string } }) =>
  result.ok || (TABLE_FAULTS as readonly string[]).includes(result.fault.code);

/** Bytes that look enough like a file to get past its first checks. */
function damaged(file: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(file.length),
    )
    .map(([changes, length]) => {
      const copy = file.slice(0, Math.max(length, file.length - 8));
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
}

describe('readers of files from strangers', () => {
  test('arbitrary bytes give a table or a named fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(named(decodeNpy(bytes))).toBe(true);
        expect(named(decodeCsv(bytes, ['a']))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('so does a damaged NPY file', () => {
    const file = encodeNpy(new Float32Array([1, 2, 3, 4]), [2, 2]);
    fc.assert(
      fc.property(damaged(file), (bytes) => {
        expect(named(decodeNpy(bytes))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('so does text made of the characters that CSV cares about', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '1', '.', ',', '"', '\n', '\r', ' ', 'e', '-'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(text, (body) => {
        expect(named(decodeCsv(utf8ToBytes(`a,b\n${body}`), ['a', 'b']))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test('an array that is written is read back, bit for bit', () => {
    const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shape, fc.infiniteStream(fc.float({ noNaN: true })), (axes, stream) => {
        const values = Float32Array.from(
          { length: axes.reduce((a, b) => a * b, 1) },
          () => stream.next().value ?? 0,
        );
        const result = decodeNpy(encodeNpy(values, axes));
        expect(result).toMatchObject({ ok: true, value: { shape: axes } });
        expect(result.ok && new Uint8Array(result.value.values.buffer)).toEqual(
          new Uint8Array(values.buffer),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('any decimal in any quoting reads as JavaScript reads it', () => {
    const cell = fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(cell, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        (cells, end) => {
          const lines = cells.map(([value, quoted]) => (quoted ? `"${value}"` : String(value)));
          const result = decodeCsv(utf8ToBytes(['a', ...lines].join(end)), ['a']);
          expect(result.ok && [...result.value.values].map((value) => value + 0)).toEqual(
            cells.map(([value]) => Math.fround(value) + 0),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('the header of a CSV comes back as it was named', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter(
        (text) =>
          text.trim() === text &&
          text !== '' &&
          utf8ToBytes(text).length <= 128 &&
          !/[\r\n]/.test(text) &&
          text.isWellFormed() &&
          !text.startsWith('\ufeff'),
      );
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 5 }), (names) => {
        const line = names.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
        expect(inspectCsv(utf8ToBytes(line))).toEqual({
          ok: true,
          value: { columns: names, rows: 0 },
        });
      }),
      { numRuns: 500 },
    );
  });

  test('UTF-8 is decoded as it was encoded, and nothing else is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(utf8ToBytes(text))).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        const text = decodeUtf8(bytes);
        expect(text === null || utf8ToBytes(text).every((byte, i) => byte === bytes[i])).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
