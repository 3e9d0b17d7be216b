import { describe, expect, test } from 'vitest';
import { textDigest } from './commitment.js';
import { TfjsInferenceSpec, TfjsSpec, TfjsTrainingSpec } from './spec.js';

const DATA = textDigest('data');
const training = {
  model: { topology: { class_name: 'Sequential', config: { layers: [] } } },
  data: {
    train: { csv: DATA },
    features: { columns: ['a', 'b'] },
    label: { column: 'y', classes: 3 },
  },
  loss: 'categoricalCrossentropy',
  epochs: 5,
};

describe('a tfjs spec', () => {
  test('needs little: the rest has defaults', () => {
    expect(TfjsTrainingSpec.parse(training)).toMatchObject({
      optimizer: { type: 'adam', learningRate: 0.001, beta1: 0.9 },
      batchSize: 32,
      seed: 0,
      data: { shuffle: true, validation: 0 },
    });
  });

  test.each(['sgd', 'momentum', 'rmsprop', 'adam'])(
    'knows the optimizer %s by its bare name',
    (optimizer) => {
      expect(TfjsTrainingSpec.parse({ ...training, optimizer }).optimizer.type).toBe(optimizer);
    },
  );

  test.each([
    ['an unknown member', { ...training, callbacks: [] }],
    ['an unknown member inside', { ...training, data: { ...training.data, test: 1 } }],
    ['an unknown loss', { ...training, loss: 'mine' }],
    ['an unknown optimizer', { ...training, optimizer: 'adagrad' }],
    ['a fraction of an epoch', { ...training, epochs: 0.5 }],
    ['no epochs', { ...training, epochs: 0 }],
    ['a batch that is too large', { ...training, batchSize: 1e9 }],
    ['a seed beyond 31 bits', { ...training, seed: 2 ** 31 }],
    ['all rows held back', { ...training, data: { ...training.data, validation: 1 } }],
    [
      'a link for data',
      { ...training, data: { ...training.data, train: { csv: 'http://localhost/' } } },
    ],
    [
      'two kinds of data',
      { ...training, data: { ...training.data, train: { csv: DATA, arrays: {} } } },
    ],
    [
      'an infinite learning rate',
      { ...training, optimizer: { type: 'sgd', learningRate: Infinity } },
    ],
  ])('refuses %s', (_, spec) => {
    expect(TfjsTrainingSpec.safeParse(spec).success).toBe(false);
  });

  test('is told apart: inference has weights, an input and no loss', () => {
    const inference = {
      model: { topology: DATA, weights: DATA },
      data: { input: { arrays: { x: DATA } }, features: { array: 'x' } },
    };
    expect(TfjsInferenceSpec.parse(inference)).toMatchObject({
      batchSize: 256,
      output: { labels: false },
    });
    expect(TfjsSpec.safeParse(inference).success).toBe(true);
    expect(TfjsInferenceSpec.safeParse({ ...inference, model: { topology: DATA } }).success).toBe(
      false,
    );
    expect(TfjsInferenceSpec.safeParse(training).success).toBe(false);
  });
});
