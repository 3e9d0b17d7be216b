import { describe, expect, test } from 'vitest';
import {
  canonicalJson,
  MAX_PARAMETERS,
  TfjsInferenceSpec,
  TfjsTask,
  TfjsTrainingSpec,
  textDigest,
} from '@tidemill/protocol';
import { acceptTfjs, startFrom } from './accept.js';
import type { TfjsFacts } from './plan.js';

const DATA = textDigest('data');

const MLP = {
  class_name: 'Sequential',
  config: {
    name: 'digits',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'hidden', units: 32, activation: 'relu', batch_input_shape: [null, 64] },
      },
      { class_name: 'Dropout', config: { name: 'drop', rate: 0.25 } },
      { class_name: 'Dense', config: { name: 'out', units: 10, activation: 'softmax' } },
    ],
  },
};

const CNN = {
  class_name: 'Sequential',
  config: {
    layers: [
      {
        class_name: 'Conv2D',
        config: {
          filters: 8,
          kernel_size: 3,
          activation: 'relu',
          batch_input_shape: [null, 8, 8, 1],
        },
      },
      { class_name: 'MaxPooling2D', config: { pool_size: [2, 2] } },
      { class_name: 'Flatten', config: {} },
      { class_name: 'Dense', config: { units: 10, activation: 'softmax' } },
    ],
  },
};

function training(
  change: Record<string, unknown> = {},
  data: Record<string, unknown> = {},
): TfjsTrainingSpec {
  return TfjsTrainingSpec.parse({
    model: { topology: MLP },
    data: {
      train: { csv: DATA },
      features: { columns: '*' },
      label: { column: 'digit', classes: 10 },
      scale: { divide: 16 },
      validation: 0.1,
      ...data,
    },
    loss: 'sparseCategoricalCrossentropy',
    epochs: 5,
    batchSize: 32,
    seed: 7,
    ...change,
  });
}

function facts(
  change: {
    features?: object;
    label?: object | null;
    rows?: number;
    topology?: unknown;
    weightsBytes?: number;
  } = {},
): TfjsFacts {
  const matrix = { whole: true, notFinite: null, min: 0 };
  return {
    model: { topology: change.topology, weightsBytes: change.weightsBytes },
    data: {
      ok: true,
      value: {
        rows: change.rows ?? 1797,
        features: { ...matrix, width: 64, rowShape: [64], max: 16, ...change.features },
        label:
          change.label === null
            ? null
            : { ...matrix, width: 1, rowShape: [], max: 9, ...change.label },
      },
    },
  };
}

/** One layer in front of a dense softmax, so that only that layer is under test. */
function withLayer(layer: object, inputShape: number[] = [64]) {
  return {
    model: {
      topology: {
        class_name: 'Sequential',
        config: {
          layers: [
            { class_name: 'InputLayer', config: { batch_input_shape: [null, ...inputShape] } },
            layer,
            { class_name: 'Flatten', config: {} },
            { class_name: 'Dense', config: { units: 10, activation: 'softmax' } },
          ],
        },
      },
    },
  };
}

describe('a training spec that fits its data', () => {
  test('becomes segments that cover every step once', () => {
    const result = acceptTfjs(training(), facts(), { maxStepsPerSegment: 60 });
    if (!result.ok) throw new Error(result.message);
    const { plan } = result;
    expect(plan).toMatchObject({
      trainRows: 1618,
      validationRows: 179,
      stepsPerEpoch: 51,
      totalSteps: 255,
      parameters: 2410,
    });
    expect(plan.tasks.map((task) => [task.fromStep, task.toStep])).toEqual([
      [0, 51],
      [51, 102],
      [102, 153],
      [153, 204],
      [204, 255],
    ]);
    for (const task of plan.tasks)
      expect(TfjsTask.parse(JSON.parse(canonicalJson(task)))).toEqual(task);
    expect(plan.tasks.every((task) => task.model.topology === textDigest(plan.topology.json))).toBe(
      true,
    );
  });

  test('gives the same plan twice, and another topology for another seed', () => {
    expect(acceptTfjs(training(), facts())).toEqual(acceptTfjs(training(), facts()));
    const one = acceptTfjs(training(), facts());
    const other = acceptTfjs(training({ seed: 8 }), facts());
    expect(one.ok && other.ok && one.plan.topology.digest !== other.plan.topology.digest).toBe(
      true,
    );
  });

  test('has a seed in every random initializer, defaults written out', () => {
    const result = acceptTfjs(training(), facts());
    if (!result.ok) throw new Error(result.message);
    const { layers } = (
      JSON.parse(result.plan.topology.json) as {
        config: {
          layers: { config: Record<string, { class_name: string; config: { seed?: number } }> }[];
        };
      }
    ).config;
    const kernels = layers.flatMap(({ config }) =>
      config['kernel_initializer'] === undefined ? [] : [config['kernel_initializer']],
    );
    expect(kernels.map(({ class_name }) => class_name)).toEqual(['GlorotNormal', 'GlorotNormal']);
    expect(new Set(kernels.map(({ config }) => config.seed)).size).toBe(2);
    expect(kernels.every(({ config }) => Number.isInteger(config.seed))).toBe(true);
  });

  test('carries every number as text', () => {
    const result = acceptTfjs(
      training({ optimizer: { type: 'adam', learningRate: 0.003 } }),
      facts(),
    );
    if (!result.ok) throw new Error(result.message);
    expect(result.plan.tasks[0]).toMatchObject({
      optimizer: {
        type: 'adam',
        settings: { learningRate: '0.003', beta1: '0.9', beta2: '0.999', epsilon: '1e-7' },
      },
      data: { scale: { subtract: '0', divide: '16' }, validation: '0.1' },
    });
  });

  test('starts a later segment from a commitment', () => {
    const result = acceptTfjs(training(), facts(), { maxStepsPerSegment: 100 });
    if (!result.ok || result.plan.tasks[1] === undefined)
      throw new Error('two segments were expected');
    expect(startFrom(result.plan.tasks[1], DATA).checkpoint).toBe(DATA);
  });

  test('takes an image model whose pixels come as columns, and a topology stored as an artifact', () => {
    const spec = training({ model: { topology: textDigest('topology') } });
    const result = acceptTfjs(
      spec,
      facts({ topology: { modelTopology: CNN, format: 'layers-model' } }),
    );
    expect(result.ok && result.plan.tasks[0]?.model.inputShape).toEqual([8, 8, 1]);
  });

  test('takes its input shape from the data when the model does not say', () => {
    const topology = {
      class_name: 'Sequential',
      config: { layers: [{ class_name: 'Dense', config: { units: 10, activation: 'softmax' } }] },
    };
    const result = acceptTfjs(training({ model: { topology } }), facts());
    expect(result.ok && result.plan.tasks[0]?.model.inputShape).toEqual([64]);
  });

  test('takes a functional model with a branch', () => {
    const node = (...names: string[]) => [names.map((name) => [name, 0, 0, {}])];
    const topology = {
      class_name: 'Functional',
      config: {
        name: 'skip',
        layers: [
          {
            class_name: 'Concatenate',
            name: 'both',
            config: {},
            inbound_nodes: node('in', 'wide'),
          },
          {
            class_name: 'InputLayer',
            name: 'in',
            config: { batch_input_shape: [null, 64], dtype: 'float32', sparse: false },
            inbound_nodes: [],
          },
          { class_name: 'Dense', name: 'wide', config: { units: 16 }, inbound_nodes: node('in') },
          {
            class_name: 'Dense',
            name: 'out',
            config: { units: 10, activation: 'softmax' },
            inbound_nodes: node('both'),
          },
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['out', 0, 0]],
      },
    };
    const result = acceptTfjs(training({ model: { topology } }), facts());
    expect(result.ok && result.plan.parameters).toBe(64 * 16 + 16 + 80 * 10 + 10);
  });
});

describe('a model is refused before TensorFlow sees it', () => {
  const cases: [string, Record<string, unknown>, string, string][] = [
    [
      '5e8 units',
      withLayer({ class_name: 'Dense', config: { units: 5e8 } }),
      'MODEL_TOO_LARGE',
      'TOO_MANY_PARAMETERS',
    ],
    ['a Lambda', withLayer({ class_name: 'Lambda', config: {} }), 'MODEL_INVALID', 'LAYER_UNKNOWN'],
    [
      'GaussianNoise',
      withLayer({ class_name: 'GaussianNoise', config: { stddev: 0.1 } }),
      'MODEL_NOT_SEEDABLE',
      'LAYER_NOT_SEEDABLE',
    ],
    [
      'a stateful LSTM',
      withLayer({ class_name: 'LSTM', config: { units: 4, stateful: true } }, [8, 8]),
      'MODEL_NOT_SEEDABLE',
      'LAYER_NOT_SEEDABLE',
    ],
    [
      'dropout inside a GRU',
      withLayer({ class_name: 'GRU', config: { units: 4, dropout: 0.5 } }, [8, 8]),
      'MODEL_NOT_SEEDABLE',
      'LAYER_NOT_SEEDABLE',
    ],
    [
      'a dilated convolution',
      withLayer(
        { class_name: 'Conv1D', config: { filters: 4, kernel_size: 3, dilation_rate: 2 } },
        [8, 8],
      ),
      'MODEL_INVALID',
      'LAYER_OPTION',
    ],
    [
      'a window larger than its input',
      withLayer({ class_name: 'Conv2D', config: { filters: 4, kernel_size: 9 } }, [8, 8, 1]),
      'MODEL_INVALID',
      'LAYER_INPUT',
    ],
    [
      'an unknown option',
      withLayer({
        class_name: 'Dense',
        config: { units: 4, kernel_constraint: { class_name: 'MaxNorm' } },
      }),
      'MODEL_INVALID',
      'LAYER_OPTION',
    ],
    [
      'an unknown initializer',
      withLayer({ class_name: 'Dense', config: { units: 4, kernel_initializer: 'mine' } }),
      'MODEL_INVALID',
      'LAYER_OPTION',
    ],
    [
      'a graph model',
      { model: { topology: { format: 'graph-model', modelTopology: { node: [] } } } },
      'MODEL_INVALID',
      'TOPOLOGY_FORM',
    ],
    [
      'no layers',
      { model: { topology: { class_name: 'Sequential', config: { layers: [] } } } },
      'MODEL_INVALID',
      'TOPOLOGY_FORM',
    ],
    [
      'an unknown activation',
      withLayer({ class_name: 'Dense', config: { units: 4, activation: 'constructor' } }),
      'MODEL_INVALID',
      'LAYER_OPTION',
    ],
    [
      'a layer of a prototype name',
      withLayer({ class_name: 'toString', config: {} }),
      'MODEL_INVALID',
      'LAYER_UNKNOWN',
    ],
    [
      'a batch that keeps too much alive',
      {
        ...withLayer({ class_name: 'UpSampling2D', config: { size: [64, 64] } }, [8, 8, 1]),
        batchSize: 1600,
      },
      'MODEL_TOO_LARGE',
      'TOO_MANY_VALUES',
    ],
  ];
  test.each(cases)('%s', (_, change, code, reason) => {
    const result = acceptTfjs(training(change), facts());
    expect(result).toMatchObject({ ok: false, code, reason });
    expect(!result.ok && result.path.length > 0).toBe(true);
  });

  test('but a noise layer passes when nothing will be repeated', () => {
    const spec = training(withLayer({ class_name: 'GaussianNoise', config: { stddev: 0.1 } }));
    expect(acceptTfjs(spec, facts(), { mustRepeat: false }).ok).toBe(true);
  });

  test('the limit on parameters is the stated one', () => {
    const units = Math.floor(MAX_PARAMETERS / (64 + 1 + 10)) - 1;
    expect(
      acceptTfjs(training(withLayer({ class_name: 'Dense', config: { units } })), facts()).ok,
    ).toBe(true);
    expect(
      acceptTfjs(
        training(withLayer({ class_name: 'Dense', config: { units: units + 100 } })),
        facts(),
      ).ok,
    ).toBe(false);
  });

  test('and so is a topology that is too long', () => {
    const layers = [{ class_name: 'Dense', config: { name: 'x'.repeat(300_000), units: 1 } }];
    const result = acceptTfjs(
      training({ model: { topology: { class_name: 'Sequential', config: { layers } } } }),
      facts(),
    );
    expect(result).toMatchObject({ ok: false, reason: 'TOPOLOGY_TOO_LARGE' });
  });
});

describe('data is refused', () => {
  const cases: [string, TfjsFacts, Record<string, unknown>, string][] = [
    ['with a NaN', facts({ features: { notFinite: { row: 12, column: 3 } } }), {}, 'NOT_FINITE'],
    ['of another width', facts({ features: { width: 63 } }), {}, 'FEATURE_WIDTH'],
    ['with a class too many', facts({ label: { max: 10 } }), {}, 'LABEL_RANGE'],
    ['with a fraction for a class', facts({ label: { whole: false } }), {}, 'LABEL_RANGE'],
    ['with fewer rows than a batch', facts({ rows: 30 }), {}, 'TOO_FEW_ROWS'],
    ['with no rows', facts({ rows: 0 }), {}, 'TOO_FEW_ROWS'],
    [
      'with another number of classes than outputs',
      facts(),
      { label: { column: 'digit', classes: 9 } },
      'OUTPUT_SHAPE',
    ],
    ['without a number of classes', facts(), { label: { column: 'digit' } }, 'CLASSES'],
    [
      'that could not be read',
      {
        ...facts(),
        data: {
          ok: false,
          fault: { code: 'CSV_NOT_A_NUMBER', message: 'row 3 has no number', row: 3, column: 'a' },
        },
      },
      {},
      'TABLE',
    ],
  ];
  test.each(cases)('%s', (_, found, data, reason) => {
    expect(acceptTfjs(training({}, data), found)).toMatchObject({ ok: false, reason });
  });

  test('with a word that does not belong to an embedding', () => {
    const spec = training(
      { ...withLayer({ class_name: 'Embedding', config: { input_dim: 16, output_dim: 4 } }) },
      { scale: undefined },
    );
    expect(acceptTfjs(spec, facts({ features: { max: 15 } })).ok).toBe(true);
    expect(acceptTfjs(spec, facts({ features: { max: 16 } }))).toMatchObject({
      ok: false,
      reason: 'FEATURE_RANGE',
    });
  });

  test('when the last layer gives no probabilities', () => {
    const topology = {
      class_name: 'Sequential',
      config: { layers: [{ class_name: 'Dense', config: { units: 10 } }] },
    };
    expect(acceptTfjs(training({ model: { topology } }), facts())).toMatchObject({
      ok: false,
      reason: 'OUTPUT_ACTIVATION',
    });
  });

  test('when it would take too many segments', () => {
    expect(
      acceptTfjs(training({ epochs: 10_000 }), facts(), { maxStepsPerSegment: 100 }),
    ).toMatchObject({ ok: false, reason: 'TOO_MANY_SEGMENTS' });
  });

  test('when a metric does not belong to the loss', () => {
    expect(acceptTfjs(training({ metrics: ['meanSquaredError'] }), facts())).toMatchObject({
      ok: false,
      reason: 'METRIC',
    });
  });
});

describe('an inference spec', () => {
  const manifest = [
    {
      paths: ['weights.bin'],
      weights: [
        { name: 'hidden/kernel', shape: [64, 32], dtype: 'float32' },
        { name: 'hidden/bias', shape: [32], dtype: 'float32' },
        { name: 'out/kernel', shape: [32, 10], dtype: 'float32' },
        { name: 'out/bias', shape: [10], dtype: 'float32' },
      ],
    },
  ];
  const inference = (change: Record<string, unknown> = {}) =>
    TfjsInferenceSpec.parse({
      model: { topology: { modelTopology: MLP, weightsManifest: manifest }, weights: DATA },
      data: { input: { csv: DATA }, features: { columns: '*' }, scale: { divide: 16 } },
      batchSize: 100,
      ...change,
    });

  test('is cut into parts on batch borders that cover every row once', () => {
    const result = acceptTfjs(inference(), facts({ label: null }), { maxRowsPerPart: 700 });
    if (!result.ok) throw new Error(result.message);
    expect(result.plan.tasks.map(({ fromRow, toRow }) => [fromRow, toRow])).toEqual([
      [0, 600],
      [600, 1200],
      [1200, 1797],
    ]);
    for (const task of result.plan.tasks) expect(TfjsTask.safeParse(task).success).toBe(true);
  });

  test('may ask for the output of a layer inside the model', () => {
    const result = acceptTfjs(inference({ output: { tensor: 'hidden' } }), facts({ label: null }));
    expect(result.ok && result.plan.tasks[0]?.outputLayer).toBe('hidden');
    expect(
      acceptTfjs(inference({ output: { tensor: 'nothing' } }), facts({ label: null })),
    ).toMatchObject({ ok: false, reason: 'OUTPUT_UNKNOWN' });
  });

  test('is refused when the weights file is not the one the manifest promises', () => {
    expect(acceptTfjs(inference(), facts({ label: null, weightsBytes: 2410 * 4 })).ok).toBe(true);
    expect(acceptTfjs(inference(), facts({ label: null, weightsBytes: 12 }))).toMatchObject({
      ok: false,
      reason: 'WEIGHTS_LENGTH',
    });
  });

  test('is refused when the manifest is not of this model', () => {
    const bare = { model: { topology: MLP, weights: DATA } };
    expect(acceptTfjs(inference(bare), facts({ label: null }))).toMatchObject({
      ok: false,
      reason: 'WEIGHTS_MANIFEST',
    });
    const short = [{ weights: manifest[0]?.weights.slice(1) }];
    const other = {
      model: { topology: { modelTopology: MLP, weightsManifest: short }, weights: DATA },
    };
    expect(acceptTfjs(inference(other), facts({ label: null }))).toMatchObject({
      ok: false,
      reason: 'WEIGHTS_MANIFEST',
    });
  });
});
