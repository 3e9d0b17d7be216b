import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { resolveModel } from '../model.js';
import { readTopology } from '../topology.js';
import { LAYER_RULES } from './index.js';

interface Vector {
  layer: { class_name: string; config: Record<string, unknown> };
  inputShape: number[];
  outputShape: number[];
  weights: { name: string; shape: number[] }[];
  /** Whether TensorFlow.js has a gradient for it. */
  trainable: boolean;
}

const file = new URL('../../../../protocol/vectors/tfjs-layers.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] };

const MERGING = ['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate'];

describe('the rule of a layer says what TensorFlow.js does', () => {
  test.each(
    cases.map(
      (vector) =>
        [`${vector.layer.class_name} ${JSON.stringify(vector.layer.config)}`, vector] as const,
    ),
  )('%s', (_, vector) => {
    const { class_name, config } = vector.layer;
    const topology = {
      class_name: 'Sequential',
      config: { layers: [{ class_name, config: { ...config, name: 'layer' } }] },
    };
    const written = readTopology(topology, []);
    if (!written.ok) throw new Error(written.message);
    const request = {
      model: written.value,
      jobSeed: 1,
      mustRepeat: false,
      isTraining: vector.trainable,
      rowShape: vector.inputShape,
    };
    const model = resolveModel(request);
    if (!model.ok) throw new Error(model.message);
    if (!vector.trainable)
      expect(resolveModel({ ...request, isTraining: true })).toMatchObject({
        ok: false,
        reason: 'LAYER_OPTION',
      });
    expect(model.value.outputShape).toEqual(vector.outputShape);
    expect([...model.value.weights].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      [...vector.weights].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  });

  test('every layer that is accepted has a vector, but for those that merge several inputs', () => {
    const covered = new Set(cases.map(({ layer }) => layer.class_name));
    expect([...LAYER_RULES.keys()].filter((name) => !covered.has(name))).toEqual(MERGING);
  });
});
