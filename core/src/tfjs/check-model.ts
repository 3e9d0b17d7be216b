import { MAX_STEP_VALUES, type TfjsModel } from '@tidemill/protocol';
import { type Shape, product } from './layers/rule.js';
import { type ResolvedModel, resolveModel } from './model.js';
import { type Checked, accepted, refused } from './refusal.js';
import { readTopology } from './topology.js';

/** What is known of the stored files of a model. */
export interface ModelFacts {
  /** The JSON of the topology artifact, parsed; not looked at when the topology is inline. */
  readonly topology?: unknown;
  /** Size of the weights artifact. */
  readonly weightsBytes?: number | undefined;
}

export interface CheckedModel {
  readonly model: ResolvedModel;
  readonly manifest: readonly { readonly name: string; readonly shape: Shape }[] | null;
}

/** Reads the model, refuses what is too large for a step of `batchSize` rows, and compares its weights file with it. */
export function checkModel(
  spec: TfjsModel,
  facts: ModelFacts,
  work: {
    readonly jobSeed: number;
    readonly mustRepeat: boolean;
    readonly isTraining: boolean;
    readonly rowShape: Shape;
    readonly batchSize: number;
  },
): Checked<CheckedModel> {
  const path = ['model', 'topology'];
  const written = readTopology(
    typeof spec.topology === 'string' ? facts.topology : spec.topology,
    path,
  );
  if (!written.ok) return written;
  const resolved = resolveModel({ model: written.value, ...work });
  if (!resolved.ok) return resolved;
  const model = resolved.value;

  const alive = model.valuesPerRow * work.batchSize;
  if (alive > MAX_STEP_VALUES)
    return refused(
      'MODEL_TOO_LARGE',
      'TOO_MANY_VALUES',
      `a batch of ${work.batchSize} keeps ${alive} values alive, at most ${MAX_STEP_VALUES} are accepted`,
      path,
    );
  if (spec.weights === undefined) return accepted({ model, manifest: null });
  return checkWeights(model, written.value.manifest, facts.weightsBytes);
}

/** The weights file must hold exactly the model's weights, each with its shape. */
function checkWeights(
  model: ResolvedModel,
  manifest: CheckedModel['manifest'],
  weightsBytes: number | undefined,
): Checked<CheckedModel> {
  const bad = (message: string) =>
    refused('MODEL_INVALID', 'WEIGHTS_MANIFEST', message, ['model', 'topology', 'weightsManifest']);
  if (manifest === null)
    return bad('weights need a topology with its weightsManifest: use the whole model.json');
  const listed = new Map(manifest.map(({ name, shape }) => [name, shape]));
  if (listed.size !== manifest.length) return bad('the manifest lists a weight twice');
  if (listed.size !== model.weights.length)
    return bad(`the manifest lists ${listed.size} weights, the model has ${model.weights.length}`);
  for (const { name, shape } of model.weights) {
    const given = listed.get(name);
    if (given === undefined) return bad(`the manifest does not list ${name}`);
    if (given.length !== shape.length || given.some((size, axis) => size !== shape[axis]))
      return bad(
        `${name} is [${given.join(', ')}] in the manifest and [${shape.join(', ')}] in the model`,
      );
  }
  const expected = manifest.reduce((sum, { shape }) => sum + product(shape) * 4, 0);
  if (weightsBytes !== undefined && weightsBytes !== expected)
    return refused(
      'MODEL_INVALID',
      'WEIGHTS_LENGTH',
      `the manifest promises ${expected} bytes of weights, the file has ${weightsBytes}`,
      ['model', 'weights'],
    );
  return accepted({ model, manifest });
}
