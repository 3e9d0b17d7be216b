import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Checkpoint,
  Digest,
  type TfjsTrainingTask,
  commitment,
  decodeNpy,
  encodeCheckpoint,
} from '@tidemill/protocol';
import {
  CNN,
  type Files,
  MLP,
  aTrainingTask,
  anInferenceTask,
  put,
  puzzle,
  segmentsOf,
  topologyOf,
} from '../testing/tasks.js';
import { type Engine, loadEngine } from './engine.js';
import { inferRows } from './infer.js';
import { modelFiles } from './model-files.js';
import { trainSegment } from './train.js';

let engine: Engine;

beforeAll(async () => {
  engine = await loadEngine('auto');
});

const silent = () => undefined;

/** Runs segments one after the other, each from the bytes the one before committed. */
async function chain(
  files: Files,
  tasks: readonly TfjsTrainingTask[],
  start: Checkpoint | null = null,
): Promise<Checkpoint[]> {
  const ends: Checkpoint[] = [];
  let last = start;
  for (const task of tasks) {
    const checkpoint = last === null ? null : put(files, encodeCheckpoint(last));
    last = (await trainSegment(engine, { ...task, checkpoint }, files, silent)).checkpoint;
    ends.push(last);
  }
  return ends;
}

const OPTIMIZERS: TfjsTrainingTask['optimizer'][] = [
  { type: 'sgd', settings: { learningRate: '0.05' } },
  { type: 'momentum', settings: { learningRate: '0.05', momentum: '0.9', nesterov: true } },
  {
    type: 'rmsprop',
    settings: { learningRate: '0.005', decay: '0.9', momentum: '0', epsilon: '1e-7' },
  },
  {
    type: 'adam',
    settings: { learningRate: '0.01', beta1: '0.9', beta2: '0.999', epsilon: '1e-7' },
  },
];

describe('training a segment', () => {
  test('learns: loss falls and accuracy rises far above chance', async () => {
    const files: Files = new Map();
    const [end] = await chain(files, [aTrainingTask(files)]);
    expect(end?.step).toBe(40);
    expect(end?.cursor).toEqual({ epoch: 2, row: 0 });
    expect(Number(end?.metrics['valAccuracy'])).toBeGreaterThan(0.9);
    expect(Object.keys(end?.metrics ?? {}).sort()).toEqual([
      'accuracy',
      'loss',
      'valAccuracy',
      'valLoss',
    ]);
  });

  test.each(OPTIMIZERS)(
    'gives the same bits from a border as straight through, with $type',
    async (optimizer) => {
      const files: Files = new Map();
      const tasks = segmentsOf(aTrainingTask(files, { change: { optimizer } }), [7, 20, 31]);
      const straight = await chain(files, tasks);
      const resumed = await chain(files, tasks.slice(2), straight[1]);
      expect(straight.map((end) => end.step)).toEqual([7, 20, 31, 40]);
      expect(resumed.map((end) => commitment(end))).toEqual(
        straight.slice(2).map((end) => commitment(end)),
      );
    },
  );

  test('gives the same bits for a convolutional network with batch normalization', async () => {
    const files: Files = new Map();
    const tasks = segmentsOf(
      aTrainingTask(files, {
        layers: CNN,
        inputShape: [8, 8, 1],
        rows: 100,
        change: { stepsPerEpoch: 10, epochs: 4 },
      }),
      [15],
    );
    const [first, last] = await chain(files, tasks);
    expect(first !== undefined && last !== undefined).toBe(true);
    const again = await chain(files, tasks);
    expect(again.map((end) => commitment(end))).toEqual(
      [first, last].map((end) => commitment(end as Checkpoint)),
    );
    const resumed = await chain(files, tasks.slice(1), first);
    expect(commitment(resumed[0] as Checkpoint)).toBe(commitment(last as Checkpoint));
  });

  test('gives other bits for another seed, and another mask at every step', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files);
    const [one] = await chain(files, [task]);
    const [other] = await chain(files, [{ ...task, seed: 8 }]);
    expect(commitment(one as Checkpoint)).not.toBe(commitment(other as Checkpoint));
  });

  test('leaves no tensors behind', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files);
    const grown: number[] = [];
    for (const toStep of [5, 40]) {
      const before = engine.tf.memory().numTensors;
      await trainSegment(engine, { ...task, toStep }, files, silent);
      grown.push(engine.tf.memory().numTensors - before);
    }
    expect(grown[1]).toBe(grown[0]); // a model and an optimizer, however many steps there were
  });

  test('reports every step', async () => {
    const files: Files = new Map();
    const steps: number[] = [];
    await trainSegment(
      engine,
      aTrainingTask(files, { change: { toStep: 6 } }),
      files,
      (step, metrics) => {
        steps.push(step);
        expect(Object.keys(metrics())).toEqual(['loss', 'accuracy']);
      },
    );
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('learns quantities as well as classes', async () => {
    const files: Files = new Map();
    const layers = [
      MLP[0],
      { class_name: 'Dense', config: { name: 'out', units: 1 } },
    ] as typeof MLP;
    const [end] = await chain(files, [
      aTrainingTask(files, {
        layers,
        change: {
          loss: 'meanSquaredError',
          classes: null,
          metrics: ['meanAbsoluteError'],
          epochs: 2,
        },
      }),
    ]);
    expect(Number(end?.metrics['valMeanAbsoluteError'])).toBeLessThan(0.8);
  });
});

describe('a task that cannot be trained', () => {
  const cases: [string, (files: Files) => TfjsTrainingTask, string][] = [
    [
      'with a layer TensorFlow does not know',
      (files) =>
        aTrainingTask(files, { topology: topologyOf([{ class_name: 'Lambda', config: {} }], [8]) }),
      'MODEL_INVALID',
    ],
    [
      'with a text for a topology',
      (files) => aTrainingTask(files, { topology: 'no model' }),
      'MODEL_INVALID',
    ],
    [
      'with data that is no array',
      (files) => aTrainingTask(files, { data: { ...puzzle(200, 8), x: new Uint8Array(100) } }),
      'DATA_INVALID',
    ],
    [
      'with other data than was accepted',
      (files) => aTrainingTask(files, { data: puzzle(100, 8) }),
      'DATA_INVALID',
    ],
    [
      'whose loss runs away',
      (files) =>
        aTrainingTask(files, {
          layers: [{ class_name: 'Dense', config: { name: 'out', units: 1 } }],
          change: {
            loss: 'meanSquaredError',
            classes: null,
            metrics: [],
            optimizer: { type: 'sgd', settings: { learningRate: '1000000' } },
          },
        }),
      'LOSS_NOT_FINITE',
    ],
    [
      'whose checkpoint is none',
      (files) =>
        aTrainingTask(files, { change: { fromStep: 10, checkpoint: put(files, 'nothing') } }),
      'CHECKPOINT_INVALID',
    ],
    [
      'whose checkpoint was not handed over',
      (files) =>
        aTrainingTask(files, {
          change: { fromStep: 10, checkpoint: Digest.parse(`sha256:${'0'.repeat(64)}`) },
        }),
      'CHILD_PROTOCOL',
    ],
    [
      'that starts in the middle without one',
      (files) => aTrainingTask(files, { change: { fromStep: 10 } }),
      'CHILD_PROTOCOL',
    ],
  ];
  test.each(cases)('%s ends with a code', async (_, make, code) => {
    const files: Files = new Map();
    const task = make(files);
    await expect(trainSegment(engine, task, files, silent)).rejects.toMatchObject({
      name: 'ChildFault',
      code,
    });
  });

  test('because its checkpoint is of another model ends with a code', async () => {
    const files: Files = new Map();
    const [end] = await chain(files, [aTrainingTask(files, { change: { toStep: 5 } })]);
    const wider = {
      layers: [{ class_name: 'Dense', config: { name: 'hidden', units: 8 } }, ...MLP.slice(1)],
    };
    const task = aTrainingTask(files, {
      ...wider,
      change: { fromStep: 5, checkpoint: put(files, encodeCheckpoint(end as Checkpoint)) },
    });
    await expect(trainSegment(engine, task, files, silent)).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
    });
  });
});

describe('inference with what training left', () => {
  test('knows the classes it was taught, and gives the same bits in any part', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files);
    const { built } = await trainSegment(engine, task, files, silent);
    const { model, weights } = modelFiles(topologyOf(MLP, [8]), built);
    const whole = anInferenceTask(files, model, weights, 48);
    const all = await inferRows(engine, whole, files, silent);
    const labels = decodeNpy(all.labels ?? new Uint8Array());
    if (!labels.ok) throw new Error(labels.fault.message);
    expect(
      [...labels.value.values].filter((label, row) => label === row % 3).length,
    ).toBeGreaterThan(40);

    const predictions = decodeNpy(all.predictions);
    const part = await inferRows(
      engine,
      { ...whole, part: 1, parts: 2, fromRow: 16, toRow: 48 },
      files,
      silent,
    );
    const partial = decodeNpy(part.predictions);
    if (!predictions.ok || !partial.ok) throw new Error('both must be arrays');
    expect(predictions.value.shape).toEqual([48, 3]);
    expect(partial.value.values).toEqual(predictions.value.values.slice(16 * 3));
  });

  test('can give what a layer inside the model says', async () => {
    const files: Files = new Map();
    const { built } = await trainSegment(
      engine,
      aTrainingTask(files, { change: { toStep: 1 } }),
      files,
      silent,
    );
    const { model, weights } = modelFiles(topologyOf(MLP, [8]), built);
    const inside = await inferRows(
      engine,
      { ...anInferenceTask(files, model, weights, 10), outputLayer: 'hidden', labels: false },
      files,
      silent,
    );
    expect(decodeNpy(inside.predictions)).toMatchObject({ ok: true, value: { shape: [10, 16] } });
    expect(inside.labels).toBeNull();
  });
});
