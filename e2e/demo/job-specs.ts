import type { JobSpec } from '@tidemill/client';
import { DIGITS_MODEL } from './digits-model.js';

export interface TrainingData {
  readonly images: string;
  readonly labels: string;
}

/** Epochs that take 20 to 30 seconds on a worker of 600 thousandths of a core: long enough to lose a worker half-way. */
const EPOCHS = 30;

/** Trains the network on the digits; a checkpoint every few seconds. `standard` executes two of its segments again elsewhere. */
export function trainingSpec(data: TrainingData): JobSpec {
  return {
    ...training(data, EPOCHS),
    name: 'digits',
    checkpoint: { every: '5s' },
    verify: 'standard',
  };
}

/** The same, but short, and every task by two workers. */
export function replicatedSpec(data: TrainingData): JobSpec {
  return { ...training(data, 2), name: 'digits-twice', verify: { replicate: 2 } };
}

function training({ images, labels }: TrainingData, epochs: number): JobSpec {
  return {
    kind: 'training',
    runtime: {
      tfjs: {
        model: { topology: DIGITS_MODEL },
        data: {
          train: { arrays: { images, labels } },
          features: { array: 'images' },
          label: { array: 'labels', classes: 10 },
          scale: { divide: 16 },
          validation: 0.1,
        },
        loss: 'sparseCategoricalCrossentropy',
        optimizer: { type: 'adam', learningRate: 0.001 },
        metrics: ['accuracy'],
        epochs,
        batchSize: 32,
        seed: 7,
      },
    },
    resources: { cpu: 0.6, memory: '900MB' },
    limits: { maxDuration: '10m' },
  };
}

/** Asks the trained model which digit each held-out image shows. */
export function inferenceSpec(
  model: { topology: string; weights: string },
  images: string,
): JobSpec {
  return {
    kind: 'inference',
    name: 'digits-test',
    runtime: {
      tfjs: {
        model,
        data: {
          input: { arrays: { images } },
          features: { array: 'images' },
          scale: { divide: 16 },
        },
        output: { labels: true },
        batchSize: 64,
      },
    },
    resources: { cpu: 0.6, memory: '900MB' },
    limits: { maxDuration: '10m' },
  };
}
