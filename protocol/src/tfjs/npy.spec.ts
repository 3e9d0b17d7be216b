import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { decodeNpy, inspectNpy } from './npy.js';
import { encodeNpy } from './npy-write.js';

/** An NPY file put together by hand, so that its header can be wrong. */
function npy(dict: string, data: Uint8Array, version = 1): Uint8Array {
  const header = utf8ToBytes(`${dict}\n`);
  const length = version === 1 ? new Uint8Array(2) : new Uint8Array(4);
  new DataView(length.buffer).setUint16(0, header.length, true);
  return concatBytes(
    Uint8Array.of(0x93),
    utf8ToBytes('NUMPY'),
    Uint8Array.of(version, 0),
    length,
    header,
    data,
  );
}

const dict = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

describe('reading an NPY file', () => {
  test.each([
    ['<f4', new Float32Array([1.5, -2, 3, 4])],
    ['<f8', new Float64Array([1.5, -2, 3, 4])],
    ['|i1', new Int8Array([1, -2, 3, 4])],
    ['|u1', new Uint8Array([1, 254, 3, 4])],
    ['<i2', new Int16Array([1, -2, 3, 4])],
    ['<u2', new Uint16Array([1, 65_534, 3, 4])],
    ['<i4', new Int32Array([1, -2, 3, 4])],
    ['<u4', new Uint32Array([1, 2, 3, 4_000_000_000])],
    ['<i8', new BigInt64Array([1n, -2n, 3n, 4n])],
  ])('gives float32 for %s', (descr, values) => {
    const result = decodeNpy(npy(dict(descr, '(2, 2)'), bytesOf(values)));
    if (!result.ok) throw new Error(result.fault.message);
    expect(result.value).toMatchObject({ shape: [2, 2], rows: 2, width: 2 });
    expect([...result.value.values]).toEqual(
      [...values].map((value) => Math.fround(Number(value))),
    );
  });

  test('reads version 2, double quotes, another order of members, and one axis', () => {
    const header = '{"shape": (3,), "fortran_order": False, "descr": "|u1"}';
    expect(decodeNpy(npy(header, Uint8Array.of(7, 8, 9), 2))).toMatchObject({
      ok: true,
      value: { rows: 3, width: 1, shape: [3] },
    });
  });

  test('reads what it writes, at an odd place in memory', () => {
    const file = encodeNpy(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]);
    const moved = new Uint8Array(file.length + 1);
    moved.set(file, 1);
    expect(decodeNpy(moved.subarray(1))).toMatchObject({
      ok: true,
      value: { shape: [2, 3], values: new Float32Array([1, 2, 3, 4, 5, 6]) },
    });
    expect((inspectNpy(file) as { value: { dataOffset: number } }).value.dataOffset % 64).toBe(0);
  });

  test.each([
    ['no magic', Uint8Array.of(...Array<number>(64).fill(0)), 'NPY_MAGIC'],
    ['too short', Uint8Array.of(0x93), 'TRUNCATED'],
    ['version 3', npy(dict('<f4', '(1,)'), new Uint8Array(4), 3), 'NPY_VERSION'],
    ['big endian', npy(dict('>f4', '(1,)'), new Uint8Array(4)), 'NPY_DTYPE'],
    ['objects', npy(dict('|O', '(1,)'), new Uint8Array(8)), 'NPY_DTYPE'],
    ['a prototype for a dtype', npy(dict('constructor', '(1,)'), new Uint8Array(8)), 'NPY_DTYPE'],
    ['Fortran order', npy(dict('<f4', '(1,)', 'True'), new Uint8Array(4)), 'NPY_ORDER'],
    ['too few bytes', npy(dict('<f4', '(2,)'), new Uint8Array(4)), 'NPY_LENGTH'],
    ['too many bytes', npy(dict('<f4', '(1,)'), new Uint8Array(5)), 'NPY_LENGTH'],
    ['seven axes', npy(dict('<f4', '(1, 1, 1, 1, 1, 1, 1)'), new Uint8Array(4)), 'NPY_SHAPE'],
    ['a giant', npy(dict('<f4', '(4000000000, 4000000000)'), new Uint8Array(4)), 'TOO_LARGE'],
    [
      'zero rows times a giant',
      npy(dict('<f4', '(0, 4000000000)'), new Uint8Array(0)),
      'TOO_LARGE',
    ],
    ['a number for a tuple', npy(dict('<f4', '(1)'), new Uint8Array(4)), 'NPY_HEADER'],
    [
      'a repeated member',
      npy(
        `{'shape': (1,), 'shape': (1,), 'descr': '<f4', 'fortran_order': False}`,
        new Uint8Array(4),
      ),
      'NPY_HEADER',
    ],
    ['a missing member', npy(`{'shape': (1,), 'descr': '<f4'}`, new Uint8Array(4)), 'NPY_HEADER'],
    [
      'code in the header',
      npy(`{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}`, new Uint8Array(4)),
      'NPY_HEADER',
    ],
  ])('refuses %s with a code', (_, file, code) => {
    expect(decodeNpy(file)).toMatchObject({ ok: false, fault: { code } });
  });

  test('refuses an integer that is not exact, with its place', () => {
    const file = npy(dict('<i8', '(2, 2)'), bytesOf(new BigInt64Array([1n, 2n, 3n, 2n ** 60n])));
    expect(decodeNpy(file)).toMatchObject({
      ok: false,
      fault: { code: 'NPY_UNSAFE_INTEGER', row: 2, column: 2 },
    });
  });
});

test('blanks of Python are read over, others are not', () => {
  const sound = dict('<f4', '(1,)');
  const data = bytesOf(new Float32Array([1]));
  for (const [blank, ok] of [
    [' \t\f', true],
    ['\u00a0', false],
    ['\u0085', false],
  ] as const)
    expect(decodeNpy(npy(sound.replace("'shape':", `'shape':${blank}`), data)).ok).toBe(ok);
});

test('a name or a type that opens with one quote and closes with the other is no text of Python', () => {
  const sound = dict('<f4', '(1,)');
  const data = bytesOf(new Float32Array([1]));
  expect(decodeNpy(npy(sound, data)).ok).toBe(true);
  expect(decodeNpy(npy(sound.replaceAll("'", '"'), data)).ok).toBe(true);
  for (const broken of ['\'descr"', '"descr\'', '"shape\''])
    expect(decodeNpy(npy(sound.replace(/'(descr|shape)'/, broken), data)).ok).toBe(false);
  expect(decodeNpy(npy(sound.replace("<f4'", '<f4"'), data)).ok).toBe(false);
});
