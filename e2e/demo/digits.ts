import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeNpy, type NpyArray } from '@tidemill/protocol';

/** The handwritten digits as files: 1,437 to learn from and 360 that no model sees before the end. */
export interface DigitFiles {
  readonly trainImages: string;
  readonly trainLabels: string;
  readonly testImages: string;
  readonly testLabels: string;
}

export function digitFiles(): DigitFiles {
  const folder = digitsFolder(dirname(fileURLToPath(import.meta.url)));
  return {
    trainImages: join(folder, 'train-images.npy'),
    trainLabels: join(folder, 'train-labels.npy'),
    testImages: join(folder, 'test-images.npy'),
    testLabels: join(folder, 'test-labels.npy'),
  };
}

/** Sources and built code lie at different depths, so the folder is looked for upwards. */
function digitsFolder(from: string): string {
  const folder = join(from, 'bench', 'data', 'digits');
  if (existsSync(folder)) return folder;
  if (dirname(from) === from)
    throw new Error('bench/data/digits is missing: the demo runs in a checkout of the repository');
  return digitsFolder(dirname(from));
}

export const readLabels = (file: string): Float32Array => readNpy(readFileSync(file)).values;

export function readNpy(bytes: Uint8Array): NpyArray {
  const array = decodeNpy(bytes);
  if (!array.ok) throw new Error(`not an array: ${array.fault.message}`);
  return array.value;
}

/** The share of images whose digit was found: the most likely class of each row against the truth. */
export function accuracy(scores: Pick<NpyArray, 'values' | 'width'>, truth: Float32Array): number {
  const { values, width } = scores;
  let right = 0;
  for (const [row, digit] of truth.entries()) {
    const ofRow = values.subarray(row * width, (row + 1) * width);
    if (ofRow.indexOf(Math.max(...ofRow)) === digit) right += 1;
  }
  return right / truth.length;
}
