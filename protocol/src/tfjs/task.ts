import { z } from 'zod';
import { Digest, Hex32 } from '../digest.js';
import { LOSSES, METRICS, OPTIMIZERS } from './closed-lists.js';
import { Decimal } from './decimal.js';
import {
  MAX_BATCH_SIZE,
  MAX_CHECKPOINT_BYTES,
  MAX_CLASSES,
  MAX_EPOCHS,
  MAX_METRICS,
  MAX_NAME_LENGTH,
  MAX_RANK,
  MAX_ROWS,
  MAX_SEGMENTS,
} from './limits.js';
import { TfjsFeatures, TfjsInput, TfjsLabel } from './spec.js';

const count = z.int().min(0);
const Name = z.string().min(1).max(MAX_NAME_LENGTH);

const DecimalScale = z.strictObject({ subtract: Decimal, divide: Decimal });

/** Settings as decimals, by name; which names there are depends on the optimizer. */
export const TaskOptimizer = z.strictObject({
  type: z.enum(OPTIMIZERS),
  settings: z.record(z.string().max(32), z.union([Decimal, z.boolean()])),
});
export type TaskOptimizer = z.infer<typeof TaskOptimizer>;

const TaskModel = z.strictObject({
  /** Text of the resolved topology: `{ class_name, config }` with a seed in every initializer. */
  topology: Digest,
  weights: Digest.nullable(),
  /** Order, names and shapes of the values in the weights file; float32 all of them. */
  weightsManifest: z
    .array(z.strictObject({ name: Name, shape: z.array(count.max(0x7fffffff)).max(MAX_RANK) }))
    .max(2_048)
    .nullable(),
  /** What one row looks like to the model, without the batch axis. */
  inputShape: z.array(z.int().min(1)).min(1).max(MAX_RANK),
});

/** One attempt's work on a training job: the steps [fromStep, toStep) of totalSteps. */
export const TfjsTrainingTask = z.strictObject({
  type: z.literal('tfjs.train'),
  version: z.literal(1),
  segment: count.max(MAX_SEGMENTS - 1),
  segments: z.int().min(1).max(MAX_SEGMENTS),
  fromStep: count,
  toStep: z.int().min(1),
  totalSteps: z.int().min(1),
  stepsPerEpoch: z.int().min(1),
  /** The committed bytes to start from; null for the first segment, which starts from the seed (or the weights). */
  checkpoint: Digest.nullable(),
  seed: z.int().min(0).max(0x7fffffff),
  model: TaskModel,
  data: z.strictObject({
    train: TfjsInput,
    features: TfjsFeatures,
    label: TfjsLabel,
    scale: DecimalScale.nullable(),
    shuffle: z.boolean(),
    validation: Decimal,
    rows: z.int().min(1).max(MAX_ROWS),
  }),
  loss: z.enum(LOSSES),
  classes: z.int().min(2).max(MAX_CLASSES).nullable(),
  optimizer: TaskOptimizer,
  metrics: z.array(z.enum(METRICS)).max(METRICS.length),
  epochs: z.int().min(1).max(MAX_EPOCHS),
  batchSize: z.int().min(1).max(MAX_BATCH_SIZE),
});
export type TfjsTrainingTask = z.infer<typeof TfjsTrainingTask>;

/** One attempt's work on an inference job: the rows [fromRow, toRow). */
export const TfjsInferenceTask = z.strictObject({
  type: z.literal('tfjs.infer'),
  version: z.literal(1),
  part: count.max(MAX_SEGMENTS - 1),
  parts: z.int().min(1).max(MAX_SEGMENTS),
  fromRow: count,
  toRow: z.int().min(1).max(MAX_ROWS),
  model: TaskModel,
  data: z.strictObject({
    input: TfjsInput,
    features: TfjsFeatures,
    scale: DecimalScale.nullable(),
    rows: z.int().min(1).max(MAX_ROWS),
  }),
  /** The layer whose output is wanted; null for the model's own. */
  outputLayer: Name.nullable(),
  labels: z.boolean(),
  batchSize: z.int().min(1).max(MAX_BATCH_SIZE),
});
export type TfjsInferenceTask = z.infer<typeof TfjsInferenceTask>;

/** What one attempt gets to do. Everything large is named by digest. */
export const TfjsTask = z
  .discriminatedUnion('type', [TfjsTrainingTask, TfjsInferenceTask])
  .meta({ id: 'TfjsTask' });
export type TfjsTask = z.infer<typeof TfjsTask>;

/** Where training stands in the data: `row` rows of `epoch` have been used. */
export const DataCursor = z.strictObject({ epoch: count, row: count });
export type DataCursor = z.infer<typeof DataCursor>;

/** Metrics by name, as decimals, names in ascending order wherever they are hashed. */
export const MetricValues = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/), Decimal)
  .refine(
    (metrics) => Object.keys(metrics).length <= MAX_METRICS,
    `at most ${MAX_METRICS} metrics`,
  );
export type MetricValues = z.infer<typeof MetricValues>;

/** `tfjs/<backend>/<library version>/<cpu level>/onednn-off`: results are compared bit for bit inside one class only. */
export const RuntimeClass = z
  .string()
  .max(96)
  .regex(/^tfjs\/(tensorflow|wasm)\/\d+\.\d+\.\d+\/[a-z0-9-]{1,24}\/onednn-off$/);
export type RuntimeClass = z.infer<typeof RuntimeClass>;

/** An artifact an attempt left: its digest and size, found by the host after the child is gone. */
export const OutputArtifact = z.strictObject({
  digest: Digest,
  bytes: count.max(MAX_CHECKPOINT_BYTES),
});

/** What an attempt says it did. For training `commitment` is the SHA-256 of the checkpoint file. */
export const TfjsResult = z
  .strictObject({
    type: z.enum(['tfjs.train', 'tfjs.infer']),
    commitment: Hex32,
    step: count,
    cursor: DataCursor,
    metrics: MetricValues,
    outputs: z.record(z.string().regex(/^[a-z][a-z0-9.-]{0,31}$/), OutputArtifact),
    runtimeClass: RuntimeClass,
  })
  .meta({ id: 'TfjsResult' });
export type TfjsResult = z.infer<typeof TfjsResult>;

/** Names of the files an attempt leaves behind. */
export const TFJS_OUTPUTS = {
  /** Canonical bytes of weights, optimizer, step, cursor and metrics; in every training segment. */
  checkpoint: 'checkpoint.bin',
  /** A layers model that `tf.loadLayersModel` reads, and its weights; in the last segment. */
  model: 'model.json',
  weights: 'weights.bin',
  /** NPY float32: one row of outputs for each input row. */
  predictions: 'predictions.npy',
  /** NPY int32: the index of the largest output of each row. */
  labels: 'labels.npy',
} as const;
