import { activation, flag, number, only, regularizer, whole } from './option.js';
import { type LayerRule, flagOf, intOf, product, reshaped } from './rule.js';

/** Large enough for any layer that passes the limit on parameters; the limit itself is checked on the sum. */
export const MAX_UNITS = 0x7fffffff;

const dense: LayerRule = {
  options: {
    units: whole(1, MAX_UNITS),
    activation,
    use_bias: flag,
    kernel_regularizer: regularizer,
    bias_regularizer: regularizer,
  },
  initializers: { kernel_initializer: 'GlorotNormal', bias_initializer: 'Zeros' },
  required: ['units'],
  apply(options, [input = []]) {
    const width = input.at(-1);
    if (width === undefined) return 'needs at least one axis behind the batch';
    const units = intOf(options, 'units', 0);
    const weights = [{ name: 'kernel', shape: [width, units] }];
    return {
      output: [...input.slice(0, -1), units],
      weights: flagOf(options, 'use_bias', true)
        ? [...weights, { name: 'bias', shape: [units] }]
        : weights,
      multiplications: product(input) * units,
    };
  },
};

const embedding: LayerRule = {
  options: {
    input_dim: whole(1, MAX_UNITS),
    output_dim: whole(1, MAX_UNITS),
    input_length: whole(1, MAX_UNITS),
    embeddings_regularizer: regularizer,
    mask_zero: only(false, 'masks are not supported'),
  },
  initializers: { embeddings_initializer: 'RandomUniform' },
  required: ['input_dim', 'output_dim'],
  apply(options, [input = []]) {
    if (input.length !== 1) return 'needs rows of indexes: one axis behind the batch';
    const width = intOf(options, 'output_dim', 0);
    return {
      output: [...input, width],
      weights: [{ name: 'embeddings', shape: [intOf(options, 'input_dim', 0), width] }],
      multiplications: product(input) * width,
    };
  },
};

/** Layers that change each value by itself. */
function pointwise(options: LayerRule['options'], required: readonly string[] = []): LayerRule {
  return {
    options,
    required,
    apply: (_, [input = []]) => ({ ...reshaped(input), multiplications: product(input) }),
  };
}

const alpha = number(0, 1e3);
const rate = number(0, 0.999);
const anySeed = whole(-0x80000000, 0x7fffffff);

export const DENSE_LAYERS: Readonly<Record<string, LayerRule>> = {
  Dense: dense,
  Embedding: embedding,
  Activation: pointwise({ activation }, ['activation']),
  ReLU: pointwise({ max_value: number(0, 1e6) }),
  LeakyReLU: pointwise({ alpha }),
  ELU: pointwise({ alpha }),
  Softmax: pointwise({ axis: only(-1, 'over the last axis') }),
  // the engine gives every dropout layer a new seed before each step, so a seed given here is dropped
  Dropout: pointwise({ rate, seed: anySeed }, ['rate']),
  SpatialDropout1D: {
    ...pointwise({ rate, seed: anySeed }, ['rate']),
    apply: (_, [input = []]) =>
      input.length === 2
        ? { ...reshaped(input), multiplications: product(input) }
        : 'needs two axes behind the batch',
  },
  GaussianNoise: { ...pointwise({ stddev: number(0, 1e6) }, ['stddev']), seedable: false },
  GaussianDropout: { ...pointwise({ rate }, ['rate']), seedable: false },
  AlphaDropout: { ...pointwise({ rate }, ['rate']), seedable: false },
};
