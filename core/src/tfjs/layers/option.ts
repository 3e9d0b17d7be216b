/** An option of a layer, checked: its value as it will be written, or what was expected instead. */
export type OptionValue =
  | string
  | number
  | boolean
  | null
  | readonly OptionValue[]
  | { readonly [key: string]: OptionValue };
/** What a value is good for besides being valid; both are true unless they are said to be false. */
interface Fitness {
  /** Whether a seed reaches everything it makes the layer draw or remember. */
  readonly seedable?: false;
  /** Whether TensorFlow.js has a gradient for it. */
  readonly trainable?: false;
}

export type OptionCheck = (
  value: unknown,
) => ({ readonly value: OptionValue } & Fitness) | ({ readonly expected: string } & Fitness);

export function whole(min: number, max: number): OptionCheck {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? { value }
      : { expected: `a whole number from ${min} to ${max}` };
}

export function number(min: number, max: number): OptionCheck {
  return (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? { value }
      : { expected: `a number from ${min} to ${max}` };
}

export const flag: OptionCheck = (value) =>
  typeof value === 'boolean' ? { value } : { expected: 'true or false' };

/** Exactly this value; `why` says why no other is possible. */
export function only(wanted: string | number | boolean, why: string): OptionCheck {
  return (value) =>
    value === wanted ? { value: wanted } : { expected: `${JSON.stringify(wanted)} (${why})` };
}

/** One of these words, in either spelling (`hardSigmoid`, `hard_sigmoid`); written in the second. */
export function word(...words: readonly string[]): OptionCheck {
  return (value) => {
    const spelled = typeof value === 'string' ? snakeCase(value) : '';
    return words.includes(spelled)
      ? { value: spelled }
      : { expected: `one of ${words.join(', ')}` };
  };
}

/** A whole number, or a list of `axes` of them; written as a list. */
export function sizes(axes: number, min: number, max: number): OptionCheck {
  return (value) => {
    const list: unknown[] = Array.isArray(value)
      ? value
      : Array.from({ length: axes }, () => value);
    const fits = (size: unknown): size is number =>
      typeof size === 'number' && Number.isInteger(size) && size >= min && size <= max;
    return list.length === axes && list.every(fits)
      ? { value: list }
      : {
          expected: `${axes === 1 ? 'a whole number' : `${axes} whole numbers`} from ${min} to ${max}`,
        };
  };
}

/** A list of up to `length` whole numbers. */
export function list(length: number, min: number, max: number): OptionCheck {
  return (value) =>
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= length &&
    value.every(
      (item: unknown) =>
        typeof item === 'number' && Number.isInteger(item) && item >= min && item <= max,
    )
      ? { value: value as number[] } // every item was just seen to be a whole number
      : { expected: `a list of 1 to ${length} whole numbers from ${min} to ${max}` };
}

export const activation = word(
  'linear',
  'relu',
  'relu6',
  'elu',
  'selu',
  'sigmoid',
  'hard_sigmoid',
  'tanh',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'gelu',
);

/** L1 and L2 penalties, as TensorFlow.js writes them. */
export const regularizer: OptionCheck = (value) => {
  const expected = { expected: '{"class_name":"L1L2","config":{"l1":…,"l2":…}}' };
  if (
    typeof value !== 'object' ||
    value === null ||
    !('class_name' in value) ||
    !('config' in value)
  )
    return expected;
  const { class_name: name, config } = value;
  if (name !== 'L1L2' || typeof config !== 'object' || config === null) return expected;
  const { l1 = 0, l2 = 0 } = config as { l1?: unknown; l2?: unknown }; // both are checked in the next line
  const fits = (penalty: unknown): penalty is number =>
    typeof penalty === 'number' && penalty >= 0 && penalty <= 1e3;
  return fits(l1) && fits(l2) ? { value: { class_name: 'L1L2', config: { l1, l2 } } } : expected;
};

/** `batchInputShape` → `batch_input_shape`; what is in that spelling already stays. */
export function snakeCase(text: string): string {
  return text.replace(
    /([a-z0-9])([A-Z])/g,
    (_, before: string, capital: string) => `${before}_${capital.toLowerCase()}`,
  );
}
