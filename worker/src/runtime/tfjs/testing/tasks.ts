import { createHash } from 'node:crypto';
import {
  Digest,
  type TfjsInferenceTask,
  type TfjsTrainingTask,
  encodeNpy,
  initializerSeed,
} from '@tidemill/protocol';

/** Bytes by digest, as a runner is given them. */
export type Files = Map<Digest, Uint8Array>;

export function put(files: Files, bytes: Uint8Array | string): Digest {
  const buffer = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  const digest = Digest.parse(`sha256:${createHash('sha256').update(buffer).digest('hex')}`);
  files.set(digest, buffer);
  return digest;
}

const JOB_SEED = 7;

const seeded = (layer: string, weight: string, name = 'GlorotNormal') => ({
  class_name: name,
  config: { seed: initializerSeed(JOB_SEED, layer, weight) },
});

const dense = (name: string, units: number, activation: string) => ({
  class_name: 'Dense',
  config: { name, units, activation, kernel_initializer: seeded(name, 'kernel_initializer') },
});

type Layer = { class_name: string; config: Record<string, unknown> };

export function topologyOf(layers: readonly Layer[], inputShape: readonly number[]): string {
  const [first, ...rest] = layers;
  const head = {
    class_name: first?.class_name,
    config: { ...first?.config, batch_input_shape: [null, ...inputShape] },
  };
  return JSON.stringify({
    class_name: 'Sequential',
    config: { name: 'model', layers: [head, ...rest] },
  });
}

/** A small perceptron with dropout. */
export const MLP: readonly Layer[] = [
  dense('hidden', 16, 'relu'),
  { class_name: 'Dropout', config: { name: 'drop', rate: 0.25 } },
  dense('out', 3, 'softmax'),
];

/** A small convolutional network with batch normalization and dropout. */
export const CNN: readonly Layer[] = [
  {
    class_name: 'Conv2D',
    config: {
      name: 'conv',
      filters: 8,
      kernel_size: [3, 3],
      activation: 'relu',
      kernel_initializer: seeded('conv', 'kernel_initializer'),
    },
  },
  { class_name: 'BatchNormalization', config: { name: 'norm' } },
  { class_name: 'MaxPooling2D', config: { name: 'pool', pool_size: [2, 2] } },
  { class_name: 'Flatten', config: { name: 'flat' } },
  { class_name: 'Dropout', config: { name: 'drop', rate: 0.25 } },
  dense('out', 3, 'softmax'),
];

/** Rows whose class can be learned from their values, made from whole numbers only. */
export function puzzle(rows: number, width: number, classes = 3): { x: Uint8Array; y: Uint8Array } {
  const x = new Float32Array(rows * width);
  const y = new Int32Array(rows);
  let state = 12_345;
  for (let row = 0; row < rows; row++) {
    y[row] = row % classes;
    for (let i = 0; i < width; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const noise = (state >>> 16) % 8;
      x[row * width + i] = noise + (i % classes === row % classes ? 8 : 0);
    }
  }
  return { x: encodeNpy(x, [rows, width]), y: encodeNpy(y, [rows]) };
}

export interface TrainingWish {
  readonly layers?: readonly Layer[];
  readonly inputShape?: readonly number[];
  readonly rows?: number;
  readonly topology?: string;
  readonly data?: { x: Uint8Array; y: Uint8Array };
  readonly change?: Partial<TfjsTrainingTask>;
}

/** A training job of 40 steps in two epochs, as one segment unless `change` says otherwise; its files land in `files`. */
export function aTrainingTask(files: Files, wish: TrainingWish = {}): TfjsTrainingTask {
  const { inputShape = [8], rows = 200, layers = MLP } = wish;
  const data =
    wish.data ??
    puzzle(
      rows,
      inputShape.reduce((a, b) => a * b, 1),
    );
  return {
    type: 'tfjs.train',
    version: 1,
    segment: 0,
    segments: 1,
    fromStep: 0,
    toStep: 40,
    totalSteps: 40,
    stepsPerEpoch: 20,
    checkpoint: null,
    seed: JOB_SEED,
    model: {
      topology: put(files, wish.topology ?? topologyOf(layers, inputShape)),
      weights: null,
      weightsManifest: null,
      inputShape: [...inputShape],
    },
    data: {
      train: { arrays: { x: put(files, data.x), y: put(files, data.y) } },
      features: { array: 'x' },
      label: { array: 'y', classes: 3 },
      scale: { subtract: '0', divide: '16' },
      shuffle: true,
      validation: '0.2',
      rows,
    },
    loss: 'sparseCategoricalCrossentropy',
    classes: 3,
    optimizer: {
      type: 'adam',
      settings: { learningRate: '0.01', beta1: '0.9', beta2: '0.999', epsilon: '1e-7' },
    },
    metrics: ['accuracy'],
    epochs: 2,
    batchSize: 8,
    ...wish.change,
  };
}

/** The same job cut at `borders`; checkpoints are filled in as segments end. */
export function segmentsOf(task: TfjsTrainingTask, borders: readonly number[]): TfjsTrainingTask[] {
  const edges = [0, ...borders, task.totalSteps];
  return edges.slice(1).map((toStep, segment) => ({
    ...task,
    segment,
    segments: borders.length + 1,
    fromStep: edges[segment] ?? 0,
    toStep,
  }));
}

/** Inference with the two files a training job left. */
export function anInferenceTask(
  files: Files,
  model: Uint8Array,
  weights: Uint8Array,
  rows = 50,
): TfjsInferenceTask {
  const document = JSON.parse(new TextDecoder().decode(model)) as {
    modelTopology: object;
    weightsManifest: [{ weights: { name: string; shape: number[] }[] }];
  };
  return {
    type: 'tfjs.infer',
    version: 1,
    part: 0,
    parts: 1,
    fromRow: 0,
    toRow: rows,
    model: {
      topology: put(files, JSON.stringify(document.modelTopology)),
      weights: put(files, weights),
      weightsManifest: document.weightsManifest[0].weights.map(({ name, shape }) => ({
        name,
        shape,
      })),
      inputShape: [8],
    },
    data: {
      input: { arrays: { x: put(files, puzzle(rows, 8).x) } },
      features: { array: 'x' },
      scale: { subtract: '0', divide: '16' },
      rows,
    },
    outputLayer: null,
    labels: true,
    batchSize: 16,
  };
}
