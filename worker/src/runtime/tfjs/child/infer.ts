import { type TfjsInferenceTask, encodeNpy } from '@tidemill/protocol';
import type * as Tf from '@tensorflow/tfjs';
import { type Inputs, inputOf, readData } from './data.js';
import type { Engine } from './engine.js';
import { ChildFault, asChildFault } from './fault.js';
import { buildModel } from './model.js';

export interface Inferred {
  /** NPY float32, one row for each input row. */
  readonly predictions: Uint8Array;
  /** NPY int32, the index of the largest output; null unless asked for. */
  readonly labels: Uint8Array | null;
}

/** Runs the model over the rows [fromRow, toRow), batch by batch from the first row on. */
export async function inferRows(
  { tf }: Engine,
  task: TfjsInferenceTask,
  inputs: Inputs,
  report: (rowsDone: number) => void,
): Promise<Inferred> {
  const { features } = readData(task, inputs);
  const { weights, weightsManifest, inputShape } = task.model;
  if (weights === null || weightsManifest === null)
    throw new ChildFault('CHILD_PROTOCOL', 'inference needs weights and their manifest');
  const built = await buildModel(
    tf,
    new TextDecoder().decode(inputOf(inputs, task.model.topology)),
    {
      bytes: inputOf(inputs, weights),
      manifest: weightsManifest,
    },
  );
  const model = outputModel(tf, built.model, task.outputLayer);

  const parts: Float32Array[] = [];
  let rowShape: readonly number[] = [];
  for (let row = task.fromRow; row < task.toRow; row += task.batchSize) {
    const end = Math.min(row + task.batchSize, task.toRow);
    const { values, shape } = runBatch(
      tf,
      model,
      features.values.subarray(row * features.width, end * features.width),
      [end - row, ...inputShape],
    );
    parts.push(values);
    rowShape = shape.slice(1);
    report(end - task.fromRow);
  }

  const outputs = joined(parts);
  if (!outputs.every(Number.isFinite))
    throw new ChildFault('LOSS_NOT_FINITE', 'the model gave a value that is not finite');
  const rows = task.toRow - task.fromRow;
  return {
    predictions: encodeNpy(outputs, [rows, ...rowShape]),
    labels: task.labels ? encodeNpy(largest(outputs, rows), [rows]) : null,
  };
}

function outputModel(tf: typeof Tf, model: Tf.LayersModel, layer: string | null): Tf.LayersModel {
  if (layer === null) return model;
  try {
    return tf.model({ inputs: model.inputs, outputs: model.getLayer(layer).output });
  } catch (error) {
    throw asChildFault(error, `the output of ${layer} cannot be had`);
  }
}

function runBatch(tf: typeof Tf, model: Tf.LayersModel, values: Float32Array, shape: number[]) {
  try {
    return tf.tidy(() => {
      const outputs = model.apply(tf.tensor(values, shape), { training: false }) as Tf.Tensor; // one input, one output
      return { values: Float32Array.from(outputs.dataSync()), shape: outputs.shape };
    });
  } catch (error) {
    throw asChildFault(error, 'the model cannot be run');
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The place of the largest value of each row, ties to the lower. */
function largest(values: Float32Array, rows: number): Int32Array {
  const width = values.length / rows;
  return Int32Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let i = 1; i < width; i++)
      if ((values[row * width + i] ?? 0) > (values[row * width + best] ?? 0)) best = i;
    return best;
  });
}
