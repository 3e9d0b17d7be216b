import { readFileSync } from 'node:fs';
import type * as Tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Engine, loadEngine } from './engine.js';
import { buildModel, seedDropout } from './model.js';

interface Vector {
  layer: { class_name: string; config: Record<string, unknown> };
  inputShape: number[];
  outputShape: number[];
  weights: { name: string; shape: number[] }[];
  /** Whether a gradient flows through it. */
  trainable: boolean;
}

const file = new URL('../../../../../protocol/vectors/tfjs-layers.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] };
let engine: Engine;

beforeAll(async () => {
  engine = await loadEngine('auto');
});

function topologyOf({ layer, inputShape }: Pick<Vector, 'layer' | 'inputShape'>): string {
  const config = { ...layer.config, name: 'layer', batch_input_shape: [null, ...inputShape] };
  return JSON.stringify({
    class_name: 'Sequential',
    config: { name: 'model', layers: [{ class_name: layer.class_name, config }] },
  });
}

describe('TensorFlow.js makes of a layer what acceptance counted on', () => {
  test.each(
    cases.map(
      (vector) =>
        [`${vector.layer.class_name} ${JSON.stringify(vector.layer.config)}`, vector] as const,
    ),
  )('%s', async (_, vector) => {
    const { tf } = engine;
    const { model, weights } = await buildModel(tf, topologyOf(vector), null);
    expect(weights.map(({ name, variable }) => ({ name, shape: variable.shape }))).toEqual(
      vector.weights,
    );
    const inputs = tf.ones([2, ...vector.inputShape]);
    expect((model.apply(inputs) as Tf.Tensor).shape.slice(1)).toEqual(vector.outputShape);

    // acceptance lets it into a training job exactly when a gradient flows through it
    if (vector.layer.class_name === 'Embedding') return;
    const train = () =>
      tf.grad((x: Tf.Tensor) => (model.apply(x, { training: true }) as Tf.Tensor).sum())(inputs);
    if (!vector.trainable) expect(train).toThrow();
    else expect(train().dataSync().every(Number.isFinite)).toBe(true);
  });
});

describe('a dropout layer', () => {
  test('draws another mask at every step, and the same one whenever the step is repeated', async () => {
    const { tf } = engine;
    const { model } = await buildModel(
      tf,
      topologyOf({ layer: { class_name: 'Dropout', config: { rate: 0.5 } }, inputShape: [64] }),
      null,
    );
    const mask = (seed: number, step: number) => {
      seedDropout(model, seed, step);
      return (model.apply(tf.ones([1, 64]), { training: true }) as Tf.Tensor).dataSync().join('');
    };
    expect(mask(7, 0)).toBe(mask(7, 0));
    expect(new Set([mask(7, 0), mask(7, 1), mask(7, 2), mask(8, 0)]).size).toBe(4);
  });
});
