import {
  MAX_SEGMENTS,
  type TfjsInferenceSpec,
  type TfjsInferenceTask,
  textDigest,
} from '@tidemill/protocol';
import type { AcceptOptions, Acceptance, InferencePlan, TfjsFacts } from './plan.js';
import { checkFeatures, readFacts } from './check-data.js';
import { checkModel } from './check-model.js';
import type { ResolvedModel } from './model.js';
import { type Checked, accepted, refused } from './refusal.js';
import { cutSegments, estimateStepMicros } from './segments.js';
import { scaleOf } from './task-parts.js';

/** Checks an inference spec against its files and cuts its rows into parts. */
export function planInference(
  spec: TfjsInferenceSpec,
  facts: TfjsFacts,
  options: AcceptOptions,
): Acceptance<InferencePlan> {
  const data = readFacts(facts.data);
  if (!data.ok) return data;
  const { rows, features } = data.value;
  const checked = checkModel(spec.model, facts.model, {
    jobSeed: 0, // every weight is read from the file
    isTraining: false,
    mustRepeat: false, // no layer draws numbers outside training
    rowShape: features.rowShape,
    batchSize: spec.batchSize,
  });
  if (!checked.ok) return checked;
  const { model, manifest } = checked.value;
  const fits = checkFeatures(features, model, spec.data.scale !== undefined);
  if (!fits.ok) return fits;
  const output = checkTensors(spec, model);
  if (!output.ok) return output;

  // part borders fall on batch borders: a batch cut elsewhere rounds differently
  const batchesPerPart = Math.max(1, Math.floor(options.maxRowsPerPart / spec.batchSize));
  const parts = cutSegments(Math.ceil(rows / spec.batchSize), batchesPerPart);
  if (parts === null)
    return refused(
      'DATA_INVALID',
      'TOO_MANY_SEGMENTS',
      `${rows} rows are more than ${MAX_SEGMENTS} parts`,
      ['data'],
    );
  const topology = { json: model.json, digest: textDigest(model.json) };
  const tasks = parts.map(({ index, fromStep, toStep }): TfjsInferenceTask => ({
    type: 'tfjs.infer',
    version: 1,
    part: index,
    parts: parts.length,
    fromRow: fromStep * spec.batchSize,
    toRow: Math.min(toStep * spec.batchSize, rows),
    model: {
      topology: topology.digest,
      weights: spec.model.weights,
      weightsManifest:
        manifest === null ? null : manifest.map(({ name, shape }) => ({ name, shape: [...shape] })),
      inputShape: [...model.inputShape],
    },
    data: {
      input: spec.data.input,
      features: spec.data.features,
      scale: scaleOf(spec.data.scale),
      rows,
    },
    outputLayer: output.value,
    labels: spec.output.labels,
    batchSize: spec.batchSize,
  }));
  const stepMicros = options.stepMicros ?? Math.ceil(estimateStepMicros(model, spec.batchSize) / 3);
  return {
    ok: true,
    plan: { kind: 'inference', topology, parameters: model.parameters, stepMicros, rows, tasks },
  };
}

/** The layer whose output is wanted, null for the model's own. */
function checkTensors(spec: TfjsInferenceSpec, model: ResolvedModel): Checked<string | null> {
  const input = model.layers[0]?.name;
  if (spec.data.tensor !== undefined && spec.data.tensor !== input)
    return refused(
      'MODEL_INVALID',
      'OUTPUT_UNKNOWN',
      `the model's input is called ${JSON.stringify(input)}`,
      ['data', 'tensor'],
    );
  const { tensor, labels } = spec.output;
  const layer =
    tensor === undefined ? model.outputLayer : model.layers.find(({ name }) => name === tensor);
  if (layer === undefined)
    return refused(
      'MODEL_INVALID',
      'OUTPUT_UNKNOWN',
      `no layer is called ${JSON.stringify(tensor)}`,
      ['output', 'tensor'],
    );
  if (labels && layer.output.length !== 1)
    return refused(
      'MODEL_INVALID',
      'OUTPUT_SHAPE',
      'labels need an output with one axis behind the batch',
      ['output', 'labels'],
    );
  return accepted(layer === model.outputLayer ? null : layer.name);
}
