import { z } from 'zod';
import { Digest } from '../digest.js';
import { LOSSES, METRICS } from './closed-lists.js';
import {
  MAX_BATCH_SIZE,
  MAX_CLASSES,
  MAX_CSV_COLUMNS,
  MAX_EPOCHS,
  MAX_NAME_LENGTH,
} from './limits.js';

const Name = z.string().min(1).max(MAX_NAME_LENGTH);
const ArrayName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'letters, digits and _');
const rate = z.number().min(0).lt(1);
const positive = z.number().positive().max(1e6);

/** Where a data set lies: one CSV file with a header line, or NPY arrays by name. */
export const TfjsInput = z
  .union([
    z.strictObject({ csv: Digest }),
    z.strictObject({
      arrays: z
        .record(ArrayName, Digest)
        .refine((arrays) => Object.keys(arrays).length <= 4, 'at most 4 arrays'),
    }),
  ])
  .meta({ id: 'TfjsInput' });
export type TfjsInput = z.infer<typeof TfjsInput>;

/** What the model is shown: columns of the CSV in this order, every column but the label (`*`), or one array. */
export const TfjsFeatures = z.union([
  z.strictObject({ columns: z.union([z.literal('*'), z.array(Name).min(1).max(MAX_CSV_COLUMNS)]) }),
  z.strictObject({ array: ArrayName }),
]);
export type TfjsFeatures = z.infer<typeof TfjsFeatures>;

const classes = z.int().min(2).max(MAX_CLASSES).optional();

/** What it should answer. `classes` is needed by the cross-entropies and has no meaning for the other losses. */
export const TfjsLabel = z.union([
  z.strictObject({ column: Name, classes }),
  z.strictObject({ array: ArrayName, classes }),
]);
export type TfjsLabel = z.infer<typeof TfjsLabel>;

/** `(value − subtract) ÷ divide`, applied to every feature before the model sees it. */
export const TfjsScale = z.strictObject({
  subtract: z.number().min(-1e9).max(1e9).default(0),
  divide: z.number().positive().max(1e9).default(1),
});

const SGD = z.strictObject({ type: z.literal('sgd'), learningRate: positive });
const Momentum = z.strictObject({
  type: z.literal('momentum'),
  learningRate: positive,
  momentum: rate.default(0.9),
  nesterov: z.boolean().default(false),
});
const RmsProp = z.strictObject({
  type: z.literal('rmsprop'),
  learningRate: positive,
  decay: rate.default(0.9),
  momentum: rate.default(0),
  epsilon: positive.default(1e-7),
});
const Adam = z.strictObject({
  type: z.literal('adam'),
  learningRate: positive.default(0.001),
  beta1: rate.default(0.9),
  beta2: rate.default(0.999),
  epsilon: positive.default(1e-7),
});
const OptimizerObject = z.discriminatedUnion('type', [SGD, Momentum, RmsProp, Adam]);

/** An optimizer with its settings, or its bare name for the usual ones. */
export const TfjsOptimizer = z.union([
  OptimizerObject,
  z.literal('adam').transform(() => Adam.parse({ type: 'adam' })),
  z.literal('sgd').transform(() => SGD.parse({ type: 'sgd', learningRate: 0.01 })),
  z.literal('rmsprop').transform(() => RmsProp.parse({ type: 'rmsprop', learningRate: 0.001 })),
  z.literal('momentum').transform(() => Momentum.parse({ type: 'momentum', learningRate: 0.01 })),
]);
export type TfjsOptimizer = z.infer<typeof OptimizerObject>;

/**
 * A layers model: its JSON inline, as `model.toJSON(null, false)` or a whole `model.json` writes it, or the digest of that text.
 * `weights` is the raw weights file that belongs to the `weightsManifest` of that JSON.
 */
export const TfjsModel = z.strictObject({
  topology: z.union([Digest, z.record(z.string(), z.unknown())]),
  weights: Digest.optional(),
});
export type TfjsModel = z.infer<typeof TfjsModel>;

/** The `tfjs` block of a training job. */
export const TfjsTrainingSpec = z
  .strictObject({
    model: TfjsModel,
    data: z.strictObject({
      train: TfjsInput,
      features: TfjsFeatures,
      label: TfjsLabel,
      scale: TfjsScale.optional(),
      shuffle: z.boolean().default(true),
      validation: z.number().min(0).max(0.5).default(0),
    }),
    loss: z.enum(LOSSES),
    optimizer: TfjsOptimizer.prefault('adam'),
    metrics: z.array(z.enum(METRICS)).max(METRICS.length).optional(),
    epochs: z.int().min(1).max(MAX_EPOCHS),
    batchSize: z.int().min(1).max(MAX_BATCH_SIZE).default(32),
    seed: z.int().min(0).max(0x7fffffff).default(0),
  })
  .meta({ id: 'TfjsTraining' });
export type TfjsTrainingSpec = z.infer<typeof TfjsTrainingSpec>;

/** The `tfjs` block of an inference job over a data set. `tensor` names the input, or the layer whose output is wanted. */
export const TfjsInferenceSpec = z
  .strictObject({
    model: TfjsModel.required({ weights: true }),
    data: z.strictObject({
      input: TfjsInput,
      features: TfjsFeatures,
      tensor: Name.optional(),
      scale: TfjsScale.optional(),
    }),
    output: z
      .strictObject({ tensor: Name.optional(), labels: z.boolean().default(false) })
      .prefault({}),
    batchSize: z.int().min(1).max(MAX_BATCH_SIZE).default(256),
  })
  .meta({ id: 'TfjsInference' });
export type TfjsInferenceSpec = z.infer<typeof TfjsInferenceSpec>;

/** Either form; a door that knows the job's kind takes the exact schema, for better messages. */
export const TfjsSpec = z.union([TfjsTrainingSpec, TfjsInferenceSpec]);
export type TfjsSpec = z.infer<typeof TfjsSpec>;
