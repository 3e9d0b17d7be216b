import type { OptionCheck, OptionValue } from './option.js';

/** Sizes of the axes behind the batch axis. */
export type Shape = readonly number[];

export type Options = Readonly<Record<string, OptionValue>>;

export interface WeightShape {
  /** As TensorFlow.js names it behind the layer's name. */
  readonly name: string;
  readonly shape: Shape;
}

/** What a layer does to a row. */
export interface Effect {
  readonly output: Shape;
  readonly weights: readonly WeightShape[];
  /** Multiplications for one row, forward only. */
  readonly multiplications: number;
}

/** A layer that can be accepted: which options it has, and what follows from them and from its input. */
export interface LayerRule {
  readonly options: Readonly<Record<string, OptionCheck>>;
  /** Keys of its initializers and what each is when nothing is said, as in TensorFlow.js. */
  readonly initializers?: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  /** Merges several inputs; others take one. */
  readonly merges?: boolean;
  /** False for layers that draw numbers no seed reaches. */
  readonly seedable?: boolean;
  /** The effect, or a sentence that says why the input does not fit. */
  apply(options: Options, inputs: readonly Shape[]): Effect | string;
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

/** Nothing to learn, nothing to multiply. */
export function reshaped(output: Shape): Effect {
  return { output, weights: [], multiplications: 0 };
}

/** A whole-number option, or what it is when nothing was said. */
export function intOf(options: Options, key: string, fallback: number): number {
  const value = options[key];
  return typeof value === 'number' ? value : fallback;
}

/** A flag, or what it is when nothing was said. */
export function flagOf(options: Options, key: string, fallback: boolean): boolean {
  const value = options[key];
  return typeof value === 'boolean' ? value : fallback;
}

/** A list of whole numbers, or what it is when nothing was said. */
export function listOf(
  options: Options,
  key: string,
  fallback: readonly number[],
): readonly number[] {
  const value = options[key];
  return Array.isArray(value) ? (value as readonly number[]) : fallback; // `sizes` and `list` let only numbers through
}
