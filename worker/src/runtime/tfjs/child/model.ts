import { dropoutSeed } from '@tidemill/protocol';
import type * as Tf from '@tensorflow/tfjs';
import { ChildFault, asChildFault } from './fault.js';

type Manifest = readonly { readonly name: string; readonly shape: readonly number[] }[];

/** A weight of the model under the name that everybody uses for it, whatever this process has built before. */
export interface NamedWeight {
  readonly name: string;
  readonly variable: Tf.Variable;
  readonly isTrainable: boolean;
}

export interface BuiltModel {
  readonly model: Tf.LayersModel;
  readonly weights: readonly NamedWeight[];
}

/** Builds the network that the resolved topology describes; its weights come from the seeds in it, or from a weights file. */
export async function buildModel(
  tf: typeof Tf,
  topology: string,
  weights: { readonly bytes: Uint8Array; readonly manifest: Manifest } | null,
): Promise<BuiltModel> {
  try {
    const artifacts: Tf.io.ModelArtifacts = { modelTopology: JSON.parse(topology) as object };
    if (weights !== null) {
      artifacts.weightSpecs = weights.manifest.map(({ name, shape }) => ({
        name,
        shape: [...shape],
        dtype: 'float32',
      }));
      artifacts.weightData = exactBuffer(weights.bytes);
    }
    const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    return { model, weights: namedWeights(model) };
  } catch (error) {
    throw asChildFault(error, 'the model does not compile');
  }
}

function namedWeights(model: Tf.LayersModel): NamedWeight[] {
  const trainable = new Set(model.trainableWeights.map(({ id }) => id));
  const names = new Set<string>();
  return model.weights.map((weight) => {
    if (names.has(weight.originalName))
      throw new ChildFault('MODEL_INVALID', `two weights are called ${weight.originalName}`);
    names.add(weight.originalName);
    const variable = weight.read() as Tf.Variable; // a layer's weight is always held in a variable
    return { name: weight.originalName, variable, isTrainable: trainable.has(weight.id) };
  });
}

/** Gives every dropout layer the seed that belongs to this step; without it a seeded layer draws the same mask at every step. */
export function seedDropout(model: Tf.LayersModel, jobSeed: number, step: number): void {
  for (const layer of model.layers) {
    if (layer.getClassName() !== 'Dropout' && layer.getClassName() !== 'SpatialDropout1D') continue;
    (layer as unknown as { seed: number }).seed = dropoutSeed(jobSeed, layer.name, step); // the field its call reads
  }
}

/** A copy with a buffer of its own: TensorFlow reads whole buffers. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
