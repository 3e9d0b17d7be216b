import { MAX_PARAMETERS, MAX_RANK } from '@tidemill/protocol';
import { resolveInitializer } from './initializers.js';
import { LAYER_RULES } from './layers/index.js';
import type { OptionValue } from './layers/option.js';
import {
  type Effect,
  type LayerRule,
  type Shape,
  type WeightShape,
  product,
} from './layers/rule.js';
import { shapeText } from './layers/shape.js';
import { type Checked, type Path, accepted, refused } from './refusal.js';
import type { WrittenLayer, WrittenModel } from './topology.js';

export interface ModelRequest {
  readonly model: WrittenModel;
  readonly jobSeed: number;
  /** Whether the work will be checked by running it again; layers that no seed reaches are refused then. */
  readonly mustRepeat: boolean;
  readonly isTraining: boolean;
  /** Axes of a row of the data; used when the model does not say what it takes. */
  readonly rowShape: Shape;
}

interface ResolvedLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, OptionValue>>;
  readonly output: Shape;
}

/** A model that can be built: every option checked, every initializer seeded, every shape known. */
export interface ResolvedModel {
  /** The text that is stored and handed to the workers; `topology` in the task is its digest. */
  readonly json: string;
  readonly layers: readonly ResolvedLayer[];
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly outputLayer: ResolvedLayer;
  readonly weights: readonly WeightShape[];
  readonly parameters: number;
  /** Values alive for one row, forward. */
  readonly valuesPerRow: number;
  readonly multiplicationsPerRow: number;
}

/** Checks every layer in order and writes the model out in its one spelling. Stops at the first fault. */
export function resolveModel(request: ModelRequest): Checked<ResolvedModel> {
  const { model } = request;
  const first = model.layers[0];
  if (first === undefined)
    return refused('MODEL_INVALID', 'TOPOLOGY_FORM', 'the model has no layers', []);
  const stray = model.layers.findIndex(
    (layer, i) =>
      (layer.className === 'InputLayer') !== (i === 0) && (i > 0 || model.form === 'Functional'),
  );
  if (stray >= 0)
    return refused(
      'MODEL_INVALID',
      'GRAPH',
      'an InputLayer stands first, and nowhere else',
      model.layers[stray]?.path ?? [],
    );
  const input = inputShapeOf(first, request);
  if (!input.ok) return input;

  const layers: ResolvedLayer[] = [];
  const weights: WeightShape[] = [];
  let parameters = 0;
  let valuesPerRow = product(input.value);
  let multiplicationsPerRow = 0;
  for (const [i, layer] of model.layers.entries()) {
    const shapes =
      i === 0 ? [input.value] : layer.from.map((source) => layers[source]?.output ?? []);
    const resolved = resolveLayer(layer, shapes, request);
    if (!resolved.ok) return resolved;
    const { config, effect } = resolved.value;
    layers.push({ name: layer.name, className: layer.className, config, output: effect.output });
    weights.push(
      ...effect.weights.map(({ name, shape }) => ({ name: `${layer.name}/${name}`, shape })),
    );
    for (const weight of effect.weights) parameters += product(weight.shape);
    if (parameters > MAX_PARAMETERS)
      return refused(
        'MODEL_TOO_LARGE',
        'TOO_MANY_PARAMETERS',
        `up to this layer the model has ${parameters} parameters, at most ${MAX_PARAMETERS} are accepted`,
        layer.path,
      );
    valuesPerRow += product(effect.output);
    multiplicationsPerRow += effect.multiplications;
  }

  const outputLayer = layers[model.output];
  if (outputLayer === undefined)
    return refused('MODEL_INVALID', 'GRAPH', 'the model has no output', []);
  return accepted({
    json: write(model, layers, input.value),
    layers,
    inputShape: input.value,
    outputShape: outputLayer.output,
    outputLayer,
    weights,
    parameters,
    valuesPerRow,
    multiplicationsPerRow,
  });
}

const INPUT_KEYS = ['batch_input_shape', 'input_shape', 'input_dim', 'batch_shape'];
/** Options of every layer that need no check of their own; null members of any layer are skipped as well. */
const COMMON_KEYS = ['name', 'trainable', 'dtype', ...INPUT_KEYS];

/** What the model takes, behind the batch axis: said by its first layer, or taken from the data. */
function inputShapeOf(first: WrittenLayer, { rowShape }: ModelRequest): Checked<Shape> {
  const { config } = first;
  const batched = config['batch_input_shape'] ?? config['batch_shape'];
  const plain =
    first.className === 'Embedding'
      ? config['input_shape']
      : (config['input_shape'] ?? config['input_dim']);
  const said: unknown = Array.isArray(batched)
    ? batched.slice(1)
    : typeof plain === 'number'
      ? [plain]
      : (plain ?? rowShape);
  const fits = (size: unknown): size is number =>
    typeof size === 'number' && Number.isInteger(size) && size >= 1 && size <= 0x7fffffff;
  if (!Array.isArray(said) || said.length === 0 || said.length > MAX_RANK - 1 || !said.every(fits))
    return refused(
      'MODEL_INVALID',
      'INPUT_SHAPE',
      `the input shape must be known, with 1 to ${MAX_RANK - 1} axes behind the batch`,
      [...first.path, 'config', 'batch_input_shape'],
    );
  return accepted(said);
}

function resolveLayer(
  layer: WrittenLayer,
  inputs: readonly Shape[],
  request: ModelRequest,
): Checked<{ config: Record<string, OptionValue>; effect: Effect }> {
  const config: Record<string, OptionValue> = { name: layer.name };
  if (layer.className === 'InputLayer')
    return accepted({
      config,
      effect: { output: inputs[0] ?? [], weights: [], multiplications: 0 },
    });

  const rule = LAYER_RULES.get(layer.className);
  if (rule === undefined)
    return refused(
      'MODEL_INVALID',
      'LAYER_UNKNOWN',
      `layer ${layer.className} is not offered; there are ${[...LAYER_RULES.keys()].join(', ')}`,
      layer.path,
    );
  if (rule.seedable === false && request.mustRepeat)
    return refused(
      'MODEL_NOT_SEEDABLE',
      'LAYER_NOT_SEEDABLE',
      `${layer.className} draws numbers that no seed reaches, so the work cannot be checked by repeating it`,
      layer.path,
    );

  if (typeof layer.config['trainable'] === 'boolean')
    config['trainable'] = layer.config['trainable'];
  const options = resolveOptions(layer, rule, request, config);
  if (!options.ok) return options;
  if (rule.merges !== true && inputs.length !== 1)
    return refused(
      'MODEL_INVALID',
      'LAYER_INPUT',
      `${layer.className} takes one input, not ${inputs.length}`,
      layer.path,
    );
  const effect = rule.apply(config, inputs);
  if (typeof effect === 'string')
    return refused(
      'MODEL_INVALID',
      'LAYER_INPUT',
      `${layer.className} ${JSON.stringify(layer.name)} ${effect}; it gets ${inputs.map(shapeText).join(' and ')}`,
      layer.path,
    );
  if (effect.output.length > MAX_RANK - 1)
    return refused(
      'MODEL_INVALID',
      'LAYER_INPUT',
      `${layer.className} gives more than ${MAX_RANK - 1} axes behind the batch`,
      layer.path,
    );
  return accepted({ config, effect });
}

/** Fills `config` with the layer's options and initializers. */
function resolveOptions(
  layer: WrittenLayer,
  rule: LayerRule,
  { jobSeed, mustRepeat, isTraining }: ModelRequest,
  config: Record<string, OptionValue>,
): Checked<null> {
  const at = (key: string): Path => [...layer.path, 'config', key];
  for (const [key, value] of Object.entries(layer.config)) {
    const isOwn = Object.hasOwn(rule.options, key);
    if (value === null || value === undefined || Object.hasOwn(rule.initializers ?? {}, key))
      continue;
    if (!isOwn && COMMON_KEYS.includes(key)) continue;
    if (isOwn && key === 'seed') continue; // the engine seeds the layer anew before each step
    const check = isOwn ? rule.options[key] : undefined;
    if (check === undefined)
      return refused(
        'MODEL_INVALID',
        'LAYER_OPTION',
        `${layer.className} has no option ${JSON.stringify(key)} here`,
        at(key),
      );
    const checked = check(value);
    if (checked.seedable === false && ('expected' in checked || mustRepeat))
      return refused(
        'MODEL_NOT_SEEDABLE',
        'LAYER_NOT_SEEDABLE',
        `${key} of ${layer.className} makes the layer impossible to repeat`,
        at(key),
      );
    if (checked.trainable === false && isTraining)
      return refused(
        'MODEL_INVALID',
        'LAYER_OPTION',
        `${layer.className} with this ${key} can be run but not trained in TensorFlow.js`,
        at(key),
      );
    if ('expected' in checked)
      return refused(
        'MODEL_INVALID',
        'LAYER_OPTION',
        `${key} of ${layer.className} must be ${checked.expected}`,
        at(key),
      );
    config[key] = checked.value;
  }
  const missing = rule.required?.find((key) => !Object.hasOwn(config, key));
  if (missing !== undefined)
    return refused(
      'MODEL_INVALID',
      'LAYER_OPTION',
      `${layer.className} needs ${JSON.stringify(missing)}`,
      at(missing),
    );
  for (const [key, fallback] of Object.entries(rule.initializers ?? {})) {
    const initializer = resolveInitializer(layer.config[key], fallback, jobSeed, layer.name, key);
    if ('expected' in initializer)
      return refused(
        'MODEL_INVALID',
        'LAYER_OPTION',
        `${key} must be ${initializer.expected}`,
        at(key),
      );
    config[key] = initializer.value;
  }
  return accepted(null);
}

/** The model's one spelling. Written by hand, key by key, so that nothing of the submitter's text slips through. */
function write(model: WrittenModel, layers: readonly ResolvedLayer[], inputShape: Shape): string {
  const entries = layers.map((layer, i) => {
    const config =
      i === 0 ? { ...layer.config, batch_input_shape: [null, ...inputShape] } : layer.config;
    if (model.form === 'Sequential') return { class_name: layer.className, config };
    const from = (model.layers[i]?.from ?? []).map((source) => [layers[source]?.name, 0, 0, {}]);
    return {
      name: layer.name,
      class_name: layer.className,
      config,
      inbound_nodes: from.length === 0 ? [] : [from],
    };
  });
  const config =
    model.form === 'Sequential'
      ? { name: model.name, layers: entries }
      : {
          name: model.name,
          layers: entries,
          input_layers: [[layers[0]?.name, 0, 0]],
          output_layers: [[layers[model.output]?.name, 0, 0]],
        };
  const className = model.form === 'Sequential' ? 'Sequential' : 'Model';
  return JSON.stringify({
    class_name: className,
    config,
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  });
}
