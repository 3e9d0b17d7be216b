import { MAX_UNITS } from './dense.js';
import { type OptionCheck, activation, flag, number, only, regularizer, whole } from './option.js';
import { type LayerRule, flagOf, intOf } from './rule.js';

/** The masks inside a recurrent layer are drawn without a seed; a Dropout layer before it can be repeated. */
const mask: OptionCheck = (value) => {
  const checked = number(0, 0.999)(value);
  return 'value' in checked && checked.value !== 0 ? { ...checked, seedable: false } : checked;
};

/** A state that outlives a batch is no part of a checkpoint. */
const stateful: OptionCheck = (value) =>
  value === false ? { value } : { expected: 'false', seedable: false };

/** A recurrent layer whose cell has `gates` times its units inside. */
function recurrent(gates: number, own: LayerRule['options']): LayerRule {
  return {
    options: {
      units: whole(1, MAX_UNITS),
      activation,
      use_bias: flag,
      return_sequences: flag,
      go_backwards: flag,
      return_state: only(false, 'one output only'),
      stateful,
      unroll: only(false, 'not supported'),
      dropout: mask,
      recurrent_dropout: mask,
      implementation: whole(1, 2),
      kernel_regularizer: regularizer,
      recurrent_regularizer: regularizer,
      bias_regularizer: regularizer,
      ...own,
    },
    initializers: {
      kernel_initializer: 'GlorotNormal',
      recurrent_initializer: 'Orthogonal',
      bias_initializer: 'Zeros',
    },
    required: ['units'],
    apply(options, [input = []]) {
      const [steps, width] = input;
      if (input.length !== 2 || steps === undefined || width === undefined)
        return 'needs steps and features behind the batch';
      const units = intOf(options, 'units', 0);
      const inside = units * gates;
      return {
        output: flagOf(options, 'return_sequences', false) ? [steps, units] : [units],
        weights: [
          { name: 'kernel', shape: [width, inside] },
          { name: 'recurrent_kernel', shape: [units, inside] },
          ...(flagOf(options, 'use_bias', true) ? [{ name: 'bias', shape: [inside] }] : []),
        ],
        multiplications: steps * (width + units) * inside,
      };
    },
  };
}

export const RECURRENT_LAYERS: Readonly<Record<string, LayerRule>> = {
  SimpleRNN: recurrent(1, {}),
  GRU: recurrent(3, {
    recurrent_activation: activation,
    reset_after: only(false, 'TensorFlow.js has no other'),
  }),
  LSTM: recurrent(4, { recurrent_activation: activation, unit_forget_bias: flag }),
};
