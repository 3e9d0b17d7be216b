// Writes the four .npy files from digits.csv.gz: 360 images for testing, 1,437 for training. The same bytes every time.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const TEST_ROWS = 360;
const here = (name) => new URL(name, import.meta.url);

const rows = gunzipSync(readFileSync(here('digits.csv.gz')))
  .toString('utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));

// Rows in the order of the hash of their number: a shuffle that needs no generator and that anybody can repeat.
const hashOf = (row) => createHash('sha256').update(`digits split 1 row ${row}`).digest('hex');
const order = rows
  .map((values, row) => ({ values, hash: hashOf(row) }))
  .sort((a, b) => (a.hash < b.hash ? -1 : 1))
  .map(({ values }) => values);

write('test', order.slice(0, TEST_ROWS));
write('train', order.slice(TEST_ROWS));

function write(name, part) {
  const pixels = part.flatMap((values) => values.slice(0, 64));
  const labels = part.map((values) => values[64]);
  writeFileSync(here(`${name}-images.npy`), npy(pixels, [part.length, 8, 8, 1]));
  writeFileSync(here(`${name}-labels.npy`), npy(labels, [part.length]));
}

/** An NPY file of version 1 with unsigned bytes, as numpy.save writes it. */
function npy(values, shape) {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '|u1', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11)}\n`;
  const preamble = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 0xff, header.length >> 8]);
  return Buffer.concat([preamble, Buffer.from(header, 'latin1'), Buffer.from(values)]);
}
