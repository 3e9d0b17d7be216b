import { seedBytes } from './seeds.js';

/** Which rows train and which are held back, by number of row, in the order before any epoch's shuffle. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/** How many of `rows` are held back: rounded down, and never so many that nothing is left to train on. */
export function validationRows(rows: number, fraction: number): number {
  return Math.min(Math.floor(rows * fraction), Math.max(rows - 1, 0));
}

/** Divides the rows once for the whole job: at random when it shuffles, else the last ones are held back. */
export function splitRows(
  rows: number,
  fraction: number,
  shuffle: boolean,
  jobSeed: number,
): Split {
  const order = ascending(rows);
  if (shuffle) shuffleInPlace(order, seedBytes('validation', jobSeed));
  const border = rows - validationRows(rows, fraction);
  return { train: order.slice(0, border), validation: order.slice(border) };
}

/** The order in which an epoch (from 0) visits the training rows. */
export function epochOrder(
  train: Uint32Array,
  epoch: number,
  shuffle: boolean,
  jobSeed: number,
): Uint32Array {
  const order = train.slice();
  if (shuffle) shuffleInPlace(order, seedBytes('order', jobSeed, epoch));
  return order;
}

/** Fisher–Yates, driven by whole numbers only, so that every machine gets the same order. `seed` is 32 bytes. */
export function shuffleInPlace(order: Uint32Array, seed: Uint8Array): void {
  const next = xoshiro128(seed);
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(i + 1, next);
    const kept = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = kept;
  }
}

function ascending(rows: number): Uint32Array {
  const order = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) order[i] = i;
  return order;
}

/** A uniform number below `bound`: draws above the last whole multiple are thrown away, or low numbers would come more often. */
function below(bound: number, next: () => number): number {
  const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
  let draw = next();
  while (draw >= limit) draw = next();
  return draw % bound;
}

/** xoshiro128**: 32-bit arithmetic only. Its state is the first 16 bytes of the seed. */
function xoshiro128(seed: Uint8Array): () => number {
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
  let a = view.getUint32(0, true);
  let b = view.getUint32(4, true);
  let c = view.getUint32(8, true);
  let d = view.getUint32(12, true) | 1; // all zero would stay zero

  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}
