import {
  type OptionCheck,
  flag,
  list,
  number,
  only,
  regularizer,
  sizes,
  whole,
  word,
} from './option.js';
import {
  type LayerRule,
  type Options,
  type Shape,
  flagOf,
  intOf,
  listOf,
  product,
  reshaped,
} from './rule.js';
import { MAX_UNITS } from './dense.js';

const channelsLast = word('channels_last');

const flatten: LayerRule = {
  options: { data_format: channelsLast },
  apply: (_, [input = []]) =>
    input.length === 0 ? 'needs at least one axis behind the batch' : reshaped([product(input)]),
};

const reshape: LayerRule = {
  options: { target_shape: list(6, -1, MAX_UNITS) },
  required: ['target_shape'],
  apply(options, [input = []]) {
    const target = listOf(options, 'target_shape', []);
    const known = product(target.filter((size) => size !== -1));
    const open = target.filter((size) => size === -1).length;
    const total = product(input);
    if (open > 1 || known < 1 || (open === 0 ? known !== total : total % known !== 0))
      return `cannot make ${shapeText(target)} of ${shapeText(input)}`;
    return reshaped(target.map((size) => (size === -1 ? total / known : size)));
  },
};

const permute: LayerRule = {
  options: { dims: list(6, 1, 6) },
  required: ['dims'],
  apply(options, [input = []]) {
    const axes = listOf(options, 'dims', []);
    if (
      axes.length !== input.length ||
      new Set(axes).size !== axes.length ||
      axes.some((axis) => axis > input.length)
    )
      return `dims must name each of the ${input.length} axes once, from 1`;
    return reshaped(axes.map((axis) => input[axis - 1] ?? 0));
  },
};

const repeatVector: LayerRule = {
  options: { n: whole(1, MAX_UNITS) },
  required: ['n'],
  apply: (options, [input = []]) =>
    input.length === 1
      ? reshaped([intOf(options, 'n', 1), ...input])
      : 'needs one axis behind the batch',
};

const zeroPadding2D: LayerRule = {
  options: { padding: sizes(2, 0, 1_024), data_format: channelsLast },
  apply(options, [input = []]) {
    const [height, width, channels] = input;
    if (input.length !== 3 || height === undefined || width === undefined || channels === undefined)
      return 'needs height, width and channels';
    const [vertical = 1, horizontal = 1] = listOf(options, 'padding', [1, 1]);
    return reshaped([height + 2 * vertical, width + 2 * horizontal, channels]);
  },
};

const upSampling2D: LayerRule = {
  options: {
    size: sizes(2, 1, 64),
    data_format: channelsLast,
    interpolation: word('nearest', 'bilinear'),
  },
  apply(options, [input = []]) {
    const [height, width, channels] = input;
    if (input.length !== 3 || height === undefined || width === undefined || channels === undefined)
      return 'needs height, width and channels';
    const [vertical = 2, horizontal = 2] = listOf(options, 'size', [2, 2]);
    return reshaped([height * vertical, width * horizontal, channels]);
  },
};

const lastAxis = only(-1, 'only the last axis is supported');

/** TensorFlow.js runs a layer without scale or center, but fails when it trains one. */
const learned: OptionCheck = (value) => {
  const checked = flag(value);
  return 'value' in checked && checked.value === false ? { ...checked, trainable: false } : checked;
};

/** The weights that `scale` and `center` ask for. */
function learnedWeights(options: Options): string[] {
  return [
    ...(flagOf(options, 'scale', true) ? ['gamma'] : []),
    ...(flagOf(options, 'center', true) ? ['beta'] : []),
  ];
}

const batchNormalization: LayerRule = {
  options: {
    axis: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= -1 && value <= 6
        ? { value }
        : { expected: 'the last axis' },
    momentum: number(0, 1),
    epsilon: number(1e-12, 1),
    center: learned,
    scale: learned,
    beta_regularizer: regularizer,
    gamma_regularizer: regularizer,
  },
  initializers: {
    beta_initializer: 'Zeros',
    gamma_initializer: 'Ones',
    moving_mean_initializer: 'Zeros',
    moving_variance_initializer: 'Ones',
  },
  apply(options, [input = []]) {
    const channels = input.at(-1);
    const axis = intOf(options, 'axis', -1);
    if (channels === undefined || (axis !== -1 && axis !== input.length))
      return 'normalizes the last axis only';
    return {
      output: input,
      weights: [...learnedWeights(options), 'moving_mean', 'moving_variance'].map((name) => ({
        name,
        shape: [channels],
      })),
      multiplications: product(input) * 2,
    };
  },
};

const layerNormalization: LayerRule = {
  options: {
    axis: lastAxis,
    epsilon: number(1e-12, 1),
    center: learned,
    scale: learned,
    beta_regularizer: regularizer,
    gamma_regularizer: regularizer,
  },
  initializers: { beta_initializer: 'Zeros', gamma_initializer: 'Ones' },
  apply(options, [input = []]) {
    const channels = input.at(-1);
    if (channels === undefined) return 'needs at least one axis behind the batch';
    return {
      output: input,
      weights: learnedWeights(options).map((name) => ({ name, shape: [channels] })),
      multiplications: product(input) * 2,
    };
  },
};

/** Takes rows of one shape each and gives one of that shape. */
const merge: LayerRule = {
  options: {},
  merges: true,
  apply(_, inputs) {
    const [first = []] = inputs;
    if (inputs.length < 2) return 'needs at least two inputs';
    const other = inputs.find((shape) => !sameShape(shape, first));
    return other === undefined
      ? { ...reshaped(first), multiplications: product(first) * inputs.length }
      : `needs inputs of one shape, not ${shapeText(first)} and ${shapeText(other)}`;
  },
};

const concatenate: LayerRule = {
  options: { axis: lastAxis },
  merges: true,
  apply(_, inputs) {
    const [first = []] = inputs;
    const head = first.slice(0, -1);
    if (inputs.length < 2) return 'needs at least two inputs';
    if (inputs.some((shape) => shape.length === 0 || !sameShape(shape.slice(0, -1), head)))
      return 'needs inputs that differ in their last axis only';
    return reshaped([...head, inputs.reduce((sum, shape) => sum + (shape.at(-1) ?? 0), 0)]);
  },
};

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

export function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export const SHAPE_LAYERS: Readonly<Record<string, LayerRule>> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  ZeroPadding2D: zeroPadding2D,
  UpSampling2D: upSampling2D,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Add: merge,
  Multiply: merge,
  Average: merge,
  Maximum: merge,
  Minimum: merge,
  Concatenate: concatenate,
};
