import { encodeNpy } from '@tidemill/protocol';
import { expect } from 'vitest';
import { sha256 } from './receipts.js';
import type { AskedJob, Submitter } from './submitter.js';

export const WIDTH = 8;
export const CLASSES = 3;

/** Rows whose class can be learned from their values; the same ones every time. */
export function puzzle(rows: number) {
  const x = new Float32Array(rows * WIDTH);
  const y = new Int32Array(rows);
  let state = 12_345;
  for (let row = 0; row < rows; row += 1) {
    y[row] = row % CLASSES;
    for (let i = 0; i < WIDTH; i += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      x[row * WIDTH + i] = ((state >>> 16) % 8) + (i % CLASSES === row % CLASSES ? 8 : 0);
    }
  }
  return { x, y };
}

/** Stores bytes as the submitter's and gives their digest. */
export async function stored(submitter: Submitter, bytes: Uint8Array): Promise<string> {
  const digest = sha256(bytes);
  const { status, body } = await submitter.http.ask('PUT', `/v1/artifacts/${digest}`, {
    text: new Uint8Array(bytes),
    headers: { 'content-type': 'application/octet-stream' },
  });
  expect([200, 201], JSON.stringify(body)).toContain(status);
  return digest;
}

/** The puzzle as two arrays among the submitter's artifacts. */
export async function storedPuzzle(submitter: Submitter, rows: number) {
  const { x, y } = puzzle(rows);
  return {
    x: await stored(submitter, encodeNpy(x, [rows, WIDTH])),
    y: await stored(submitter, encodeNpy(y, [rows])),
  };
}

/** A small network with dropout: what has to be seeded for two machines to agree. */
export const NETWORK = {
  class_name: 'Sequential',
  config: {
    name: 'puzzle',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'hidden', units: 16, activation: 'relu', batch_input_shape: [null, WIDTH] },
      },
      { class_name: 'Dropout', config: { name: 'drop', rate: 0.25 } },
      { class_name: 'Dense', config: { name: 'out', units: CLASSES, activation: 'softmax' } },
    ],
  },
};

/** A training job on the puzzle, cut into segments of about `every` by the estimate. */
export function trainingJob(
  data: { readonly x: string; readonly y: string },
  more: { readonly epochs: number; readonly every: string } & Pick<AskedJob, 'verify'>,
): AskedJob {
  return {
    kind: 'training',
    runtime: {
      tfjs: {
        model: { topology: NETWORK },
        data: {
          train: { arrays: { x: data.x, y: data.y } },
          features: { array: 'x' },
          label: { array: 'y', classes: CLASSES },
          scale: { subtract: 0, divide: 16 },
          shuffle: true,
          validation: 0.2,
        },
        loss: 'sparseCategoricalCrossentropy',
        optimizer: { type: 'adam', learningRate: 0.01 },
        metrics: ['accuracy'],
        epochs: more.epochs,
        batchSize: 8,
        seed: 7,
      },
    },
    checkpoint: { every: more.every },
    verify: more.verify ?? 'none',
    limits: { maxDuration: '10m', maxCost: 100 },
  };
}
