/** Writes an NPY file of version 1, as `numpy.save` does: float32 or int32, little endian, C order. */
export function encodeNpy(values: Float32Array | Int32Array, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const descr = values instanceof Float32Array ? '<f4' : '<i4';
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const preamble = 10;
  const header = `${dict.padEnd(Math.ceil((preamble + dict.length + 1) / 64) * 64 - preamble - 1)}\n`;

  const bytes = new Uint8Array(preamble + header.length + values.length * 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  view.setUint16(8, header.length, true);
  for (let i = 0; i < header.length; i++) bytes[preamble + i] = header.charCodeAt(i);
  const data = preamble + header.length;
  for (const [i, value] of values.entries())
    if (values instanceof Float32Array) view.setFloat32(data + i * 4, value, true);
    else view.setInt32(data + i * 4, value, true);
  return bytes;
}
