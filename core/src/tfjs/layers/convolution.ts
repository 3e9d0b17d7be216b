import { MAX_UNITS } from './dense.js';
import {
  type OptionValue,
  activation,
  flag,
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

const padding = word('valid', 'same');
const dataFormat = word('channels_last');
const MAX_WINDOW = 4_096;

function windowOptions(axes: number): LayerRule['options'] {
  return {
    kernel_size: sizes(axes, 1, MAX_WINDOW),
    strides: sizes(axes, 1, MAX_WINDOW),
    padding,
    data_format: dataFormat,
    dilation_rate: (value) => {
      const dilation = sizes(axes, 1, MAX_WINDOW)(value);
      // a dilated convolution has no gradient in TensorFlow.js
      return 'value' in dilation && !isOne(dilation.value)
        ? { ...dilation, trainable: false }
        : dilation;
    },
    activation,
    use_bias: flag,
    bias_regularizer: regularizer,
  };
}

function isOne(sizes: OptionValue): boolean {
  return Array.isArray(sizes) && sizes.every((size) => size === 1);
}

/** Sizes after a window has slid over the input, or null when the window does not fit. */
function slide(
  input: Shape,
  window: readonly number[],
  strides: readonly number[],
  same: boolean,
): Shape | null {
  const output = window.map((size, axis) => {
    const extent = input[axis] ?? 0;
    const stride = strides[axis] ?? 1;
    return same ? Math.ceil(extent / stride) : Math.ceil((extent - size + 1) / stride);
  });
  return output.every((size) => size >= 1) ? output : null;
}

/** The part all convolutions share: where the window goes and how many channels come in. */
function placed(options: Options, input: Shape, axes: number) {
  if (input.length !== axes + 1) return `needs ${axes} axes and channels behind the batch`;
  const window = listOf(options, 'kernel_size', []);
  const strides = listOf(
    options,
    'strides',
    window.map(() => 1),
  );
  const dilation = listOf(
    options,
    'dilation_rate',
    window.map(() => 1),
  );
  const reach = window.map((size, axis) => (size - 1) * (dilation[axis] ?? 1) + 1);
  const space = slide(input, reach, strides, options['padding'] === 'same');
  return space === null
    ? 'its window is larger than its input'
    : { window, space, channels: input.at(-1) ?? 0 };
}

function biasOf(options: Options, size: number): { name: string; shape: Shape }[] {
  return flagOf(options, 'use_bias', true) ? [{ name: 'bias', shape: [size] }] : [];
}

function convolution(axes: number): LayerRule {
  return {
    options: {
      ...windowOptions(axes),
      filters: whole(1, MAX_UNITS),
      kernel_regularizer: regularizer,
    },
    initializers: { kernel_initializer: 'GlorotNormal', bias_initializer: 'Zeros' },
    required: ['filters', 'kernel_size'],
    apply(options, [input = []]) {
      const place = placed(options, input, axes);
      if (typeof place === 'string') return place;
      const filters = intOf(options, 'filters', 0);
      return {
        output: [...place.space, filters],
        weights: [
          { name: 'kernel', shape: [...place.window, place.channels, filters] },
          ...biasOf(options, filters),
        ],
        multiplications: product(place.space) * product(place.window) * place.channels * filters,
      };
    },
  };
}

const depthwise: LayerRule = {
  options: {
    ...windowOptions(2),
    depth_multiplier: whole(1, 1_024),
    depthwise_regularizer: regularizer,
  },
  initializers: { depthwise_initializer: 'GlorotUniform', bias_initializer: 'Zeros' },
  required: ['kernel_size'],
  apply(options, [input = []]) {
    const place = placed(options, input, 2);
    if (typeof place === 'string') return place;
    const multiplier = intOf(options, 'depth_multiplier', 1);
    const channels = place.channels * multiplier;
    return {
      output: [...place.space, channels],
      weights: [
        { name: 'depthwise_kernel', shape: [...place.window, place.channels, multiplier] },
        ...biasOf(options, channels),
      ],
      multiplications: product(place.space) * product(place.window) * channels,
    };
  },
};

const separable: LayerRule = {
  options: {
    ...windowOptions(2),
    filters: whole(1, MAX_UNITS),
    depth_multiplier: whole(1, 1_024),
    depthwise_regularizer: regularizer,
    pointwise_regularizer: regularizer,
  },
  initializers: {
    depthwise_initializer: 'GlorotUniform',
    pointwise_initializer: 'GlorotUniform',
    bias_initializer: 'Zeros',
  },
  required: ['filters', 'kernel_size'],
  apply(options, [input = []]) {
    const place = placed(options, input, 2);
    if (typeof place === 'string') return place;
    const multiplier = intOf(options, 'depth_multiplier', 1);
    const filters = intOf(options, 'filters', 0);
    const channels = place.channels * multiplier;
    return {
      output: [...place.space, filters],
      weights: [
        { name: 'depthwise_kernel', shape: [...place.window, place.channels, multiplier] },
        { name: 'pointwise_kernel', shape: [1, 1, channels, filters] },
        ...biasOf(options, filters),
      ],
      multiplications: product(place.space) * channels * (product(place.window) + filters),
    };
  },
};

function pooling(axes: number): LayerRule {
  return {
    options: {
      pool_size: sizes(axes, 1, MAX_WINDOW),
      strides: sizes(axes, 1, MAX_WINDOW),
      padding,
      data_format: dataFormat,
    },
    apply(options, [input = []]) {
      if (input.length !== axes + 1) return `needs ${axes} axes and channels behind the batch`;
      const window = listOf(
        options,
        'pool_size',
        Array.from({ length: axes }, () => 2),
      );
      const space = slide(
        input,
        window,
        listOf(options, 'strides', window),
        options['padding'] === 'same',
      );
      if (space === null) return 'its window is larger than its input';
      const output = [...space, input.at(-1) ?? 0];
      return { ...reshaped(output), multiplications: product(output) * product(window) };
    },
  };
}

function globalPooling(axes: number): LayerRule {
  return {
    options: { data_format: dataFormat, keepdims: only(false, 'axes cannot be kept') },
    apply: (_, [input = []]) =>
      input.length === axes + 1
        ? { ...reshaped(input.slice(-1)), multiplications: product(input) }
        : `needs ${axes} axes and channels behind the batch`,
  };
}

export const CONVOLUTION_LAYERS: Readonly<Record<string, LayerRule>> = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  MaxPooling1D: pooling(1),
  MaxPooling2D: pooling(2),
  AveragePooling1D: pooling(1),
  AveragePooling2D: pooling(2),
  GlobalMaxPooling1D: globalPooling(1),
  GlobalMaxPooling2D: globalPooling(2),
  GlobalAveragePooling1D: globalPooling(1),
  GlobalAveragePooling2D: globalPooling(2),
};
