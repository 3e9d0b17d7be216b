import { MAX_LAYERS, MAX_NAME_LENGTH, MAX_TOPOLOGY_BYTES } from '@tidemill/protocol';
import { snakeCase } from './layers/option.js';
import type { Shape } from './layers/rule.js';
import { type Checked, type Path, accepted, refused } from './refusal.js';

/** A layer as it was written, its keys in snake case; nothing is checked yet but form and name. */
export interface WrittenLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Indexes of the layers it takes from; none for the first. */
  readonly from: readonly number[];
  readonly path: Path;
}

export interface WrittenModel {
  readonly form: 'Sequential' | 'Functional';
  readonly name: string;
  readonly layers: readonly WrittenLayer[];
  /** Index of the layer whose output is the model's. */
  readonly output: number;
  /** Weights in the order of the weights file, when the document lists them. */
  readonly manifest: readonly { readonly name: string; readonly shape: Shape }[] | null;
}

type Json = Readonly<Record<string, unknown>>;

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/;

/**
 * Reads a layers model: what `model.toJSON()` gives, a whole `model.json`, or one that Keras wrote. Layers come out in an order in
 * which each follows those it takes from.
 */
export function readTopology(document: unknown, path: Path): Checked<WrittenModel> {
  if (!isObject(document)) return form('the topology is not an object', path);
  if (JSON.stringify(document).length > MAX_TOPOLOGY_BYTES)
    return refused(
      'MODEL_TOO_LARGE',
      'TOPOLOGY_TOO_LARGE',
      `the topology is longer than ${MAX_TOPOLOGY_BYTES} bytes`,
      path,
    );

  const inner = document['modelTopology'] ?? document;
  if (!isObject(inner)) return form('modelTopology is not an object', [...path, 'modelTopology']);
  const model = inner['model_config'] ?? inner['modelConfig'] ?? inner;
  if (!isObject(model)) return form('model_config is not an object', path);
  if (document['format'] === 'graph-model' || 'node' in model)
    return form(
      'this is a graph model; convert it to a layers model (tensorflowjs_converter --output_format=tfjs_layers_model)',
      path,
    );

  const manifest = readManifest(document['weightsManifest'], [...path, 'weightsManifest']);
  if (!manifest.ok) return manifest;
  const className = model['class_name'] ?? model['className'];
  const config = Array.isArray(model['config'])
    ? { layers: model['config'] as unknown }
    : model['config'];
  if (!isObject(config) || !Array.isArray(config['layers']))
    return form('the model has no config.layers', path);
  const layers: readonly unknown[] = config['layers'];
  if (layers.length === 0) return form('the model has no layers', path);
  if (layers.length > MAX_LAYERS)
    return refused(
      'MODEL_TOO_LARGE',
      'TOO_MANY_LAYERS',
      `the model has ${layers.length} layers, at most ${MAX_LAYERS} are accepted`,
      path,
    );

  const where: Path = [
    ...path,
    ...('modelTopology' in document ? ['modelTopology'] : []),
    'config',
    'layers',
  ];
  const name =
    typeof config['name'] === 'string' && NAME.test(config['name']) ? config['name'] : 'model';
  if (className === 'Sequential') {
    const chain = readLayers(layers, where, (_, i) => (i === 0 ? [] : [i - 1]));
    return chain.ok
      ? accepted({
          form: 'Sequential',
          name,
          layers: chain.value,
          output: layers.length - 1,
          manifest: manifest.value,
        })
      : chain;
  }
  if (className === 'Model' || className === 'Functional')
    return readFunctional(config, layers, where, { name, manifest: manifest.value });
  return form(`class_name ${JSON.stringify(className)} is neither Sequential nor Functional`, path);
}

function readFunctional(
  config: Json,
  layers: readonly unknown[],
  path: Path,
  head: Pick<WrittenModel, 'name' | 'manifest'>,
): Checked<WrittenModel> {
  const names = new Map<string, number>();
  for (const [i, layer] of layers.entries()) {
    const name = isObject(layer)
      ? (layer['name'] ?? (isObject(layer['config']) ? layer['config']['name'] : undefined))
      : undefined;
    if (typeof name === 'string') names.set(name, i);
  }
  const read = readLayers(layers, path, (layer) => inboundOf(layer, names));
  if (!read.ok) return read;
  const inputs = endpoints(config['input_layers'] ?? config['inputLayers'], names);
  const outputs = endpoints(config['output_layers'] ?? config['outputLayers'], names);
  const [output] = outputs ?? [];
  if (inputs?.length !== 1 || outputs?.length !== 1 || output === undefined)
    return refused('MODEL_INVALID', 'GRAPH', 'the model must have one input and one output', path);
  if (read.value.some((layer, i) => (layer.from.length === 0) !== (i === inputs[0])))
    return refused(
      'MODEL_INVALID',
      'GRAPH',
      'every layer but the one input must take from another',
      path,
    );

  const order = sorted(read.value);
  if (order === null) return refused('MODEL_INVALID', 'GRAPH', 'the layers form a circle', path);
  const place = new Map(order.map((index, position) => [index, position]));
  const ordered = order.flatMap((index) => {
    const layer = read.value[index];
    return layer === undefined
      ? []
      : [{ ...layer, from: layer.from.map((source) => place.get(source) ?? 0) }];
  });
  return accepted({ form: 'Functional', ...head, layers: ordered, output: place.get(output) ?? 0 });
}

function readLayers(
  layers: readonly unknown[],
  path: Path,
  inbound: (layer: Json, index: number) => readonly number[] | null,
): Checked<readonly WrittenLayer[]> {
  const read: WrittenLayer[] = [];
  const names = new Set<string>();
  for (const [i, layer] of layers.entries()) {
    const at = [...path, i];
    if (!isObject(layer)) return form('a layer is not an object', at);
    const className = layer['class_name'] ?? layer['className'];
    const written = layer['config'] ?? {};
    if (typeof className !== 'string' || !isObject(written))
      return form('a layer lacks class_name or config', at);
    const config = Object.fromEntries(
      Object.entries(written).map(([key, value]) => [snakeCase(key), value]),
    );
    const name = layer['name'] ?? config['name'] ?? `${snakeCase(className)}_${i + 1}`;
    if (typeof name !== 'string' || !NAME.test(name) || name.length > MAX_NAME_LENGTH / 2)
      return refused(
        'MODEL_INVALID',
        'LAYER_NAME',
        'a layer name may have letters, digits and _ . / -, at most 64',
        [...at, 'name'],
      );
    if (names.has(name))
      return refused(
        'MODEL_INVALID',
        'LAYER_NAME',
        `two layers are called ${JSON.stringify(name)}`,
        at,
      );
    names.add(name);
    const from = inbound(layer, i);
    if (from === null)
      return refused(
        'MODEL_INVALID',
        'GRAPH',
        'inbound_nodes must name known layers, and a layer may be used once',
        at,
      );
    read.push({ className, name, config, from, path: at });
  }
  return accepted(read);
}

/** `[[["conv", 0, 0, {}], …]]` → indexes; null when a layer is shared (several nodes) or unknown. */
function inboundOf(layer: Json, names: ReadonlyMap<string, number>): readonly number[] | null {
  const nodes = layer['inbound_nodes'] ?? layer['inboundNodes'] ?? [];
  if (!Array.isArray(nodes) || nodes.length > 1) return null;
  return endpoints((nodes as readonly unknown[])[0] ?? [], names);
}

function endpoints(value: unknown, names: ReadonlyMap<string, number>): number[] | null {
  if (!Array.isArray(value)) return null;
  const list: readonly unknown[] = typeof value[0] === 'string' ? [value] : value;
  const found: number[] = [];
  for (const entry of list) {
    if (!Array.isArray(entry)) return null;
    const [name, node, tensor] = entry as readonly unknown[];
    const index = typeof name === 'string' ? names.get(name) : undefined;
    if (index === undefined || node !== 0 || tensor !== 0) return null;
    found.push(index);
  }
  return found;
}

/** Each layer after its sources, ties to the lower index; null for a circle. */
function sorted(layers: readonly WrittenLayer[]): number[] | null {
  const done = new Set<number>();
  while (done.size < layers.length) {
    const next = layers.findIndex(
      (layer, i) => !done.has(i) && layer.from.every((source) => done.has(source)),
    );
    if (next < 0) return null;
    done.add(next);
  }
  return [...done];
}

function readManifest(value: unknown, path: Path): Checked<WrittenModel['manifest']> {
  if (value === undefined || value === null) return accepted(null);
  const manifest: { name: string; shape: Shape }[] = [];
  const bad = refused(
    'MODEL_INVALID',
    'WEIGHTS_MANIFEST',
    'the manifest must list name, shape and dtype float32, not quantized',
    path,
  );
  if (!Array.isArray(value)) return bad;
  for (const group of value as readonly unknown[]) {
    if (!isObject(group) || !Array.isArray(group['weights'])) return bad;
    for (const weight of group['weights'] as readonly unknown[]) {
      if (!isObject(weight) || weight['dtype'] !== 'float32' || 'quantization' in weight)
        return bad;
      const { name, shape } = weight;
      if (typeof name !== 'string' || !Array.isArray(shape)) return bad;
      if (
        !shape.every(
          (size: unknown) => typeof size === 'number' && Number.isInteger(size) && size >= 0,
        )
      )
        return bad;
      manifest.push({ name, shape: shape as number[] }); // every size was just checked
    }
  }
  return accepted(manifest);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function form(message: string, path: Path) {
  return refused('MODEL_INVALID', 'TOPOLOGY_FORM', message, path);
}
