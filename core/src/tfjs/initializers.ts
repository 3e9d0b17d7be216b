import { initializerSeed } from '@tidemill/protocol';
import type { OptionValue } from './layers/option.js';

interface InitializerRule {
  /** Number options and the bounds of each. */
  readonly numbers: Readonly<Record<string, readonly [number, number]>>;
  readonly words?: Readonly<Record<string, readonly string[]>>;
  readonly required?: readonly string[];
  readonly random: boolean;
}

const BOUNDS = [-1e6, 1e6] as const;
const fixed = (numbers: InitializerRule['numbers'] = {}): InitializerRule => ({
  numbers,
  random: false,
});
const random = (numbers: InitializerRule['numbers'] = {}): InitializerRule => ({
  numbers,
  random: true,
});

const RULES: Readonly<Record<string, InitializerRule>> = {
  Zeros: fixed(),
  Ones: fixed(),
  Constant: { ...fixed({ value: BOUNDS }), required: ['value'] },
  Identity: fixed({ gain: BOUNDS }),
  RandomUniform: random({ minval: BOUNDS, maxval: BOUNDS }),
  RandomNormal: random({ mean: BOUNDS, stddev: [0, 1e6] }),
  TruncatedNormal: random({ mean: BOUNDS, stddev: [0, 1e6] }),
  VarianceScaling: {
    ...random({ scale: [0, 1e6] }),
    words: {
      mode: ['fanIn', 'fanOut', 'fanAvg', 'fan_in', 'fan_out', 'fan_avg'],
      distribution: ['normal', 'uniform', 'truncatedNormal', 'truncated_normal'],
    },
  },
  GlorotNormal: random(),
  GlorotUniform: random(),
  HeNormal: random(),
  HeUniform: random(),
  LeCunNormal: random(),
  LeCunUniform: random(),
  Orthogonal: random({ gain: BOUNDS }),
};

/** Names as people write them: case and underscores do not matter. */
const BY_NAME = new Map(Object.keys(RULES).map((name) => [plain(name), name]));

/**
 * Writes an initializer out in full, with the seed that belongs to this weight of this layer. A seed of the submitter's is
 * replaced: the job's seed is the only source of randomness. Returns what was expected when the value is no known initializer.
 */
export function resolveInitializer(
  value: unknown,
  fallback: string,
  jobSeed: number,
  layer: string,
  weight: string,
): { readonly value: OptionValue } | { readonly expected: string } {
  const given = read(value ?? fallback);
  const name = given === null ? undefined : BY_NAME.get(plain(given.name));
  const rule = name === undefined ? undefined : RULES[name];
  if (given === null || name === undefined || rule === undefined)
    return { expected: `an initializer: ${Object.keys(RULES).join(', ')}` };

  const config: Record<string, OptionValue> = {};
  for (const [key, option] of Object.entries(given.config)) {
    if (key === 'seed' || option === null) continue;
    const bounds = Object.hasOwn(rule.numbers, key) ? rule.numbers[key] : undefined;
    const words =
      rule.words !== undefined && Object.hasOwn(rule.words, key) ? rule.words[key] : undefined;
    const fits =
      (bounds !== undefined &&
        typeof option === 'number' &&
        option >= bounds[0] &&
        option <= bounds[1]) ||
      (words !== undefined && typeof option === 'string' && words.includes(option));
    if (!fits || (typeof option !== 'number' && typeof option !== 'string'))
      return { expected: `a valid ${JSON.stringify(key)} for ${name}, if ${name} has it at all` };
    config[key] = option;
  }
  const missing = rule.required?.find((key) => !Object.hasOwn(config, key));
  if (missing !== undefined) return { expected: `${JSON.stringify(missing)} for ${name}` };
  if (rule.random) config['seed'] = initializerSeed(jobSeed, layer, weight);
  return { value: { class_name: name, config } };
}

function read(value: unknown): { name: string; config: Record<string, unknown> } | null {
  if (typeof value === 'string') return { name: value, config: {} };
  if (typeof value !== 'object' || value === null) return null;
  const { class_name, className, config = {} } = value as Record<string, unknown>; // an object, and each member is checked
  const name = class_name ?? className;
  if (typeof name !== 'string' || typeof config !== 'object' || config === null) return null;
  return { name, config: config as Record<string, unknown> };
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
