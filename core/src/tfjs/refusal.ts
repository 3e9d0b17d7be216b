/** Public codes a refusal comes with; `reason` says which check it was. */
export type RefusalCode =
  'MODEL_INVALID' | 'MODEL_TOO_LARGE' | 'MODEL_NOT_SEEDABLE' | 'DATA_INVALID';

export const REFUSAL_REASONS = [
  'TOPOLOGY_FORM',
  'TOPOLOGY_TOO_LARGE',
  'LAYER_UNKNOWN',
  'LAYER_NOT_SEEDABLE',
  'LAYER_OPTION',
  'LAYER_NAME',
  'LAYER_INPUT',
  'GRAPH',
  'INPUT_SHAPE',
  'TOO_MANY_LAYERS',
  'TOO_MANY_PARAMETERS',
  'TOO_MANY_VALUES',
  'NO_PARAMETERS',
  'OUTPUT_SHAPE',
  'OUTPUT_ACTIVATION',
  'OUTPUT_UNKNOWN',
  'WEIGHTS_MANIFEST',
  'WEIGHTS_LENGTH',
  'CLASSES',
  'METRIC',
  'TABLE',
  'NOT_FINITE',
  'FEATURE_WIDTH',
  'FEATURE_RANGE',
  'LABEL_MISSING',
  'LABEL_WIDTH',
  'LABEL_RANGE',
  'TOO_FEW_ROWS',
  'TOO_MANY_SEGMENTS',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Where in the `tfjs` block the fault lies. */
export type Path = readonly (string | number)[];

export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly reason: RefusalReason;
  readonly message: string;
  readonly path: Path;
}

/** Either a value or why there is none. */
export type Checked<T> = { readonly ok: true; readonly value: T } | Refusal;

export function accepted<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function refused(
  code: RefusalCode,
  reason: RefusalReason,
  message: string,
  path: Path,
): Refusal {
  return { ok: false, code, reason, message, path };
}
