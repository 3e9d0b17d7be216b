import {
  type CanonicalTensor,
  type Checkpoint,
  type Matrix,
  type TfjsTrainingTask,
  VALIDATION_ROWS_PER_SEGMENT,
  decodeCheckpoint,
  epochOrder,
  splitRows,
} from '@tidemill/protocol';
import type * as Tf from '@tensorflow/tfjs';
import { type Inputs, gather, inputOf, readData } from './data.js';
import type { Engine } from './engine.js';
import { ChildFault, asChildFault } from './fault.js';
import { batchLoss } from './loss.js';
import { Tally, measureBatch } from './measure.js';
import { type BuiltModel, buildModel, seedDropout } from './model.js';
import { makeOptimizer, readState, writeState } from './optimizer.js';
import { fromCanonical, toCanonical } from './tensor-bytes.js';

export type ReportStep = (
  stepsDone: number,
  metrics: () => Readonly<Record<string, number>>,
) => void;

/** The end of a segment, and the model that was trained. */
export interface TrainedSegment {
  readonly checkpoint: Checkpoint;
  readonly built: BuiltModel;
}

/**
 * Trains the steps [fromStep, toStep) of a job and returns their end. Model and optimizer are built from the committed bytes, or
 * from the job's seed for the first segment, and every draw comes from the job's seed: whoever runs the segment gets the same bits.
 */
export async function trainSegment(
  { tf }: Engine,
  task: TfjsTrainingTask,
  inputs: Inputs,
  report: ReportStep,
): Promise<TrainedSegment> {
  const start = readStart(task, inputs);
  const { features, label } = readData(task, inputs);
  if (label === null) throw new ChildFault('DATA_INVALID', 'there are no labels');
  const built = await buildModel(
    tf,
    new TextDecoder().decode(inputOf(inputs, task.model.topology)),
    initialWeights(task, inputs),
  );
  const trained = built.weights.filter(({ isTrainable }) => isTrainable);
  const optimizer = makeOptimizer(tf, task.optimizer);
  if (start !== null) {
    restoreWeights(tf, built, start.weights);
    await writeState(tf, optimizer, task.optimizer.type, trained, start.optimizer.state);
  }

  const split = splitRows(
    features.rows,
    Number(task.data.validation),
    task.data.shuffle,
    task.seed,
  );
  const tally = new Tally(task);
  let order = split.train;
  let orderOf = -1;
  const variables = trained.map(({ variable }) => variable);
  for (let step = task.fromStep; step < task.toStep; step++) {
    const epoch = Math.floor(step / task.stepsPerEpoch);
    if (epoch !== orderOf) {
      order = epochOrder(split.train, epoch, task.data.shuffle, task.seed);
      orderOf = epoch;
    }
    const first = (step % task.stepsPerEpoch) * task.batchSize;
    const rows = order.subarray(first, first + task.batchSize);
    seedDropout(built.model, task.seed, step);
    const measured = takeStep(
      tf,
      task,
      built.model,
      optimizer,
      variables,
      batchOf(tf, task, features, label, rows),
    );
    if (!Number.isFinite(measured.loss))
      throw new ChildFault('LOSS_NOT_FINITE', `the loss of step ${step} is ${measured.loss}`);
    tally.add(rows.length, measured);
    report(step + 1, () => tally.latest(measured));
  }

  const isLast = task.toStep === task.totalSteps;
  const held = isLast
    ? split.validation
    : split.validation.subarray(0, VALIDATION_ROWS_PER_SEGMENT);
  const validation = validate(tf, task, built.model, features, label, held);
  const weights = built.weights.map(({ name, variable }) => toCanonical(name, variable));
  const state = await readState(optimizer, task.optimizer.type, trained);
  const trainRows = split.train.length;
  const checkpoint: Checkpoint = {
    step: task.toStep,
    cursor: {
      epoch: Math.floor(task.toStep / task.stepsPerEpoch),
      row: Math.min((task.toStep % task.stepsPerEpoch) * task.batchSize, trainRows),
    },
    metrics: { ...tally.metrics(''), ...validation.metrics('val') },
    weights,
    optimizer: { name: task.optimizer.type, state },
  };
  return { checkpoint, built };
}

/** The committed start, checked to be the end of the segment before; null for the first. */
function readStart(task: TfjsTrainingTask, inputs: Inputs): Checkpoint | null {
  if (task.checkpoint === null) {
    if (task.fromStep > 0)
      throw new ChildFault('CHILD_PROTOCOL', 'a later segment needs a checkpoint to start from');
    return null;
  }
  const decoded = decodeCheckpoint(inputOf(inputs, task.checkpoint));
  if (!decoded.ok)
    throw new ChildFault(
      'CHECKPOINT_INVALID',
      `${decoded.code}: ${decoded.message} at byte ${decoded.offset}`,
    );
  const { step, optimizer } = decoded.value;
  if (step !== task.fromStep || optimizer.name !== task.optimizer.type)
    throw new ChildFault(
      'CHECKPOINT_INVALID',
      `the checkpoint is of step ${step} with ${optimizer.name}`,
    );
  return decoded.value;
}

function initialWeights(task: TfjsTrainingTask, inputs: Inputs) {
  const { weights, weightsManifest } = task.model;
  if (weights === null || task.checkpoint !== null) return null;
  if (weightsManifest === null)
    throw new ChildFault('CHILD_PROTOCOL', 'weights came without their manifest');
  return { bytes: inputOf(inputs, weights), manifest: weightsManifest };
}

function restoreWeights(
  tf: typeof Tf,
  { weights }: BuiltModel,
  saved: readonly CanonicalTensor[],
): void {
  const byName = new Map(saved.map((tensor) => [tensor.name, tensor]));
  if (byName.size !== weights.length)
    throw new ChildFault('CHECKPOINT_INVALID', 'the checkpoint has other weights than the model');
  for (const { name, variable } of weights) {
    const tensor = byName.get(name);
    if (
      tensor === undefined ||
      tensor.dtype !== variable.dtype ||
      tensor.shape.join() !== variable.shape.join()
    )
      throw new ChildFault('CHECKPOINT_INVALID', `the checkpoint does not fit the weight ${name}`);
    const value = fromCanonical(tf, tensor);
    variable.assign(value);
    value.dispose();
  }
}

interface Batch {
  readonly inputs: Tf.Tensor;
  readonly labels: Tf.Tensor;
}

function batchOf(
  tf: typeof Tf,
  task: TfjsTrainingTask,
  features: Matrix,
  label: Matrix,
  rows: Uint32Array,
): Batch {
  const labels = gather(label, rows);
  return {
    inputs: tf.tensor(gather(features, rows), [rows.length, ...task.model.inputShape]),
    labels:
      task.classes === null
        ? tf.tensor(labels, [rows.length, label.width])
        : tf.tensor(labels, [rows.length]),
  };
}

/** One optimizer step; what it measured comes from the weights before it. */
function takeStep(
  tf: typeof Tf,
  task: TfjsTrainingTask,
  model: Tf.LayersModel,
  optimizer: Tf.Optimizer,
  variables: Tf.Variable[],
  { inputs, labels }: Batch,
) {
  try {
    return tf.tidy(() => {
      let outputs: Tf.Tensor | undefined;
      let dataLoss: Tf.Scalar | undefined;
      const { grads } = tf.variableGrads(() => {
        outputs = tf.keep(model.apply(inputs, { training: true }) as Tf.Tensor); // one input, one output: checked at acceptance
        dataLoss = tf.keep(batchLoss(tf, task.loss, labels, outputs));
        return model.calculateLosses().reduce((sum, penalty) => sum.add(penalty), dataLoss);
      }, variables);
      optimizer.applyGradients(
        variables.map(({ name }) => ({ name, tensor: grads[name] as Tf.Tensor })),
      ); // asked for each of them
      if (outputs === undefined || dataLoss === undefined)
        throw new ChildFault('MODEL_INVALID', 'the model gave no output');
      const measured = measureBatch(tf, task, labels, outputs, dataLoss);
      outputs.dispose();
      dataLoss.dispose();
      return measured;
    });
  } catch (error) {
    throw asChildFault(error, 'the model cannot be trained');
  } finally {
    inputs.dispose();
    labels.dispose();
  }
}

function validate(
  tf: typeof Tf,
  task: TfjsTrainingTask,
  model: Tf.LayersModel,
  features: Matrix,
  label: Matrix,
  rows: Uint32Array,
): Tally {
  const tally = new Tally(task);
  for (let at = 0; at < rows.length; at += task.batchSize) {
    const part = rows.subarray(at, at + task.batchSize);
    const batch = batchOf(tf, task, features, label, part);
    const measured = tf.tidy(() => {
      const outputs = model.apply(batch.inputs, { training: false }) as Tf.Tensor; // as in a step
      return measureBatch(
        tf,
        task,
        batch.labels,
        outputs,
        batchLoss(tf, task.loss, batch.labels, outputs),
      );
    });
    batch.inputs.dispose();
    batch.labels.dispose();
    tally.add(part.length, measured);
  }
  return tally;
}
