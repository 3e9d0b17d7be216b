import {
  type Metric,
  type TaskOptimizer,
  type TfjsOptimizer,
  type TfjsTrainingSpec,
  type TfjsTrainingTask,
  isClassLoss,
  textDigest,
  validationRows,
} from '@tidemill/protocol';
import type { AcceptOptions, Acceptance, TfjsFacts, TrainingPlan } from './plan.js';
import { checkFeatures, checkLabels, readFacts } from './check-data.js';
import { type CheckedModel, checkModel } from './check-model.js';
import { type Checked, accepted, refused } from './refusal.js';
import { cutSegments, estimateStepMicros, stepsPerSegment } from './segments.js';
import { decimal, scaleOf } from './task-parts.js';

/** Checks a training spec against its files and cuts it into segments. */
export function planTraining(
  spec: TfjsTrainingSpec,
  facts: TfjsFacts,
  options: AcceptOptions,
): Acceptance<TrainingPlan> {
  const data = readFacts(facts.data);
  if (!data.ok) return data;
  const { rows, features, label } = data.value;
  const checked = checkModel(spec.model, facts.model, {
    jobSeed: spec.seed,
    mustRepeat: options.mustRepeat,
    isTraining: true,
    rowShape: features.rowShape,
    batchSize: spec.batchSize,
  });
  if (!checked.ok) return checked;
  const { model } = checked.value;
  if (model.parameters === 0)
    return refused('MODEL_INVALID', 'NO_PARAMETERS', 'the model has nothing to learn', [
      'model',
      'topology',
    ]);
  const fits = checkFeatures(features, model, spec.data.scale !== undefined);
  if (!fits.ok) return fits;
  const classes = checkLabels(spec, label, model);
  if (!classes.ok) return classes;
  const metrics = checkMetrics(spec);
  if (!metrics.ok) return metrics;

  const held = validationRows(rows, spec.data.validation);
  const trainRows = rows - held;
  if (trainRows < spec.batchSize)
    return refused(
      'DATA_INVALID',
      'TOO_FEW_ROWS',
      `a batch of ${spec.batchSize} is larger than the ${trainRows} rows there are to train on`,
      ['batchSize'],
    );
  const stepsPerEpoch = Math.ceil(trainRows / spec.batchSize);
  const totalSteps = spec.epochs * stepsPerEpoch;
  const stepMicros = options.stepMicros ?? estimateStepMicros(model, spec.batchSize);
  const segments = cutSegments(
    totalSteps,
    stepsPerSegment(options.checkpointEveryMs, stepMicros, options.maxStepsPerSegment),
  );
  if (segments === null)
    return refused(
      'MODEL_TOO_LARGE',
      'TOO_MANY_SEGMENTS',
      `${totalSteps} steps are too many segments; train fewer epochs, or set checkpoint.every higher`,
      ['epochs'],
    );

  const topology = { json: model.json, digest: textDigest(model.json) };
  const rest = taskHead(spec, checked.value, {
    rows,
    classes: classes.value,
    metrics: metrics.value,
  });
  const tasks = segments.map(({ index, fromStep, toStep }): TfjsTrainingTask => ({
    type: 'tfjs.train',
    version: 1,
    segment: index,
    segments: segments.length,
    fromStep,
    toStep,
    totalSteps,
    stepsPerEpoch,
    checkpoint: null,
    ...rest,
  }));
  return {
    ok: true,
    plan: {
      kind: 'training',
      topology,
      parameters: model.parameters,
      stepMicros,
      trainRows,
      validationRows: held,
      stepsPerEpoch,
      totalSteps,
      segments,
      tasks,
    },
  };
}

/** Everything that is the same in every segment's task. */
function taskHead(
  spec: TfjsTrainingSpec,
  { model, manifest }: CheckedModel,
  found: {
    readonly rows: number;
    readonly classes: number | null;
    readonly metrics: readonly Metric[];
  },
) {
  const { train, features, label, shuffle, validation } = spec.data;
  return {
    seed: spec.seed,
    model: {
      topology: textDigest(model.json),
      weights: spec.model.weights ?? null,
      weightsManifest:
        manifest === null ? null : manifest.map(({ name, shape }) => ({ name, shape: [...shape] })),
      inputShape: [...model.inputShape],
    },
    data: {
      train,
      features,
      label,
      scale: scaleOf(spec.data.scale),
      shuffle,
      validation: decimal(validation),
      rows: found.rows,
    },
    loss: spec.loss,
    classes: found.classes,
    optimizer: optimizerOf(spec.optimizer),
    metrics: [...found.metrics],
    epochs: spec.epochs,
    batchSize: spec.batchSize,
  };
}

function checkMetrics({ loss, metrics }: TfjsTrainingSpec): Checked<readonly Metric[]> {
  const isClass = isClassLoss(loss);
  const wanted: readonly Metric[] = metrics ?? (isClass ? ['accuracy'] : []);
  const wrong = wanted.find((metric) => (metric === 'accuracy') !== isClass);
  if (wrong !== undefined)
    return refused('DATA_INVALID', 'METRIC', `${wrong} has no meaning for ${loss}`, [
      'metrics',
      wanted.indexOf(wrong),
    ]);
  return accepted([...new Set(wanted)]);
}

function optimizerOf({ type, ...settings }: TfjsOptimizer): TaskOptimizer {
  const entries = Object.entries<number | boolean>(settings);
  return {
    type,
    settings: Object.fromEntries(
      entries.map(([key, value]) => [key, typeof value === 'boolean' ? value : decimal(value)]),
    ),
  };
}
