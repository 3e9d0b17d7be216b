import {
  MAX_NPY_BYTES,
  MAX_NPY_HEADER_BYTES,
  MAX_RANK,
  MAX_ROWS,
  MAX_TABLE_VALUES,
} from './limits.js';
import { parseNpyHeader } from './npy-header.js';
import { type TableResult, fault, found } from './table-fault.js';

/** The element types that are read; all become float32. Little endian or single bytes only. */
export const NPY_DTYPES = {
  '<f4': { name: 'f4', bytes: 4 },
  '<f8': { name: 'f8', bytes: 8 },
  '|i1': { name: 'i1', bytes: 1 },
  '|u1': { name: 'u1', bytes: 1 },
  '<i2': { name: 'i2', bytes: 2 },
  '<u2': { name: 'u2', bytes: 2 },
  '<i4': { name: 'i4', bytes: 4 },
  '<u4': { name: 'u4', bytes: 4 },
  '<i8': { name: 'i8', bytes: 8 },
} as const;
export type NpyDtype = (typeof NPY_DTYPES)[keyof typeof NPY_DTYPES]['name'];

export interface NpyInfo {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  /** Length of the first axis; 1 for a scalar. */
  readonly rows: number;
  /** Values of one row: the product of the other axes. */
  readonly width: number;
  readonly dataOffset: number;
}

export interface NpyArray extends NpyInfo {
  readonly values: Float32Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Reads the header of an NPY file (version 1 or 2) and checks the file's length against it; no value is looked at. */
export function inspectNpy(bytes: Uint8Array): TableResult<NpyInfo> {
  if (bytes.length > MAX_NPY_BYTES)
    return fault(
      'TOO_LARGE',
      `the file has ${bytes.length} bytes, at most ${MAX_NPY_BYTES} are read`,
    );
  if (bytes.length < 10)
    return fault('TRUNCATED', 'the file ends inside its preamble', { offset: bytes.length });
  if (MAGIC.some((byte, i) => bytes[i] !== byte))
    return fault('NPY_MAGIC', 'the file does not begin as NPY files do', { offset: 0 });

  const major = bytes[6];
  if (major !== 1 && major !== 2)
    return fault('NPY_VERSION', `NPY version ${major} is not read, only 1 and 2`, { offset: 6 });
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start)
    return fault('TRUNCATED', 'the file ends inside its preamble', { offset: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_NPY_HEADER_BYTES)
    return fault(
      'NPY_HEADER',
      `the header has ${length} bytes, at most ${MAX_NPY_HEADER_BYTES} are read`,
      { offset: 8 },
    );
  const dataOffset = start + length;
  if (bytes.length < dataOffset)
    return fault('TRUNCATED', 'the file ends inside its header', { offset: bytes.length });

  const header = parseNpyHeader(bytes.subarray(start, dataOffset), start);
  if (!header.ok) return header;
  return checkHeader(header.value, bytes.length, dataOffset);
}

function checkHeader(
  header: { descr: string; fortranOrder: boolean; shape: readonly number[] },
  fileBytes: number,
  dataOffset: number,
): TableResult<NpyInfo> {
  if (!Object.hasOwn(NPY_DTYPES, header.descr))
    return fault(
      'NPY_DTYPE',
      `dtype ${JSON.stringify(header.descr)} is not read; use one of ${Object.keys(NPY_DTYPES).join(' ')}`,
    );
  const dtype = NPY_DTYPES[header.descr as keyof typeof NPY_DTYPES]; // hasOwn was asked just above
  if (header.fortranOrder)
    return fault('NPY_ORDER', 'the array is in Fortran order; save np.ascontiguousarray(array)');
  if (header.shape.length > MAX_RANK)
    return fault(
      'NPY_SHAPE',
      `the array has ${header.shape.length} axes, at most ${MAX_RANK} are read`,
    );

  const rows = header.shape[0] ?? 1;
  let values = 1;
  for (const size of header.shape) {
    values *= size; // checked after each factor: two sizes below 2^26 never pass 2^53
    if (size > MAX_TABLE_VALUES || values > MAX_TABLE_VALUES)
      return fault('TOO_LARGE', `the array has more than ${MAX_TABLE_VALUES} values`);
  }
  if (rows > MAX_ROWS)
    return fault('TOO_LARGE', `the array has ${rows} rows, at most ${MAX_ROWS} are read`);
  const expected = dataOffset + values * dtype.bytes;
  if (fileBytes !== expected)
    return fault('NPY_LENGTH', `the header promises ${expected} bytes, the file has ${fileBytes}`, {
      offset: Math.min(fileBytes, expected),
    });
  const width = header.shape.slice(1).reduce((product, size) => product * size, 1);
  return found({ dtype: dtype.name, shape: header.shape, rows, width, dataOffset });
}

/** Reads a whole NPY file as float32, row by row. Integers of 8 bytes beyond ±(2^53−1) are refused, not rounded. */
export function decodeNpy(bytes: Uint8Array): TableResult<NpyArray> {
  const info = inspectNpy(bytes);
  if (!info.ok) return info;
  const { dtype, rows, width, dataOffset } = info.value;
  const values = new Float32Array(rows * width);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  if (dtype === 'i8') {
    for (let i = 0; i < values.length; i++) {
      const value = view.getBigInt64(dataOffset + i * 8, true);
      if (value > MAX_SAFE || value < -MAX_SAFE)
        return fault('NPY_UNSAFE_INTEGER', `${value} is not an exact number`, {
          row: Math.floor(i / width) + 1,
          column: (i % width) + 1,
          offset: dataOffset + i * 8,
        });
      values[i] = Number(value);
    }
    return found({ ...info.value, values });
  }

  const read = READERS[dtype];
  const size = NPY_BYTES[dtype];
  for (let i = 0; i < values.length; i++) values[i] = read(view, dataOffset + i * size);
  return found({ ...info.value, values });
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const NPY_BYTES = { f4: 4, f8: 8, i1: 1, u1: 1, i2: 2, u2: 2, i4: 4, u4: 4 } as const;

const READERS: Record<keyof typeof NPY_BYTES, (view: DataView, at: number) => number> = {
  f4: (view, at) => view.getFloat32(at, true),
  f8: (view, at) => view.getFloat64(at, true),
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  i2: (view, at) => view.getInt16(at, true),
  u2: (view, at) => view.getUint16(at, true),
  i4: (view, at) => view.getInt32(at, true),
  u4: (view, at) => view.getUint32(at, true),
};
