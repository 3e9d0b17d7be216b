import { MAX_SEGMENTS } from '@tidemill/protocol';

/** The steps [fromStep, toStep) of a job that are one task. */
export interface Segment {
  readonly index: number;
  readonly fromStep: number;
  readonly toStep: number;
}

/**
 * Cuts a job into segments of at most `maxSteps` steps, as equal as whole numbers allow; null when there would be more than
 * MAX_SEGMENTS. The borders are fixed for good: everybody rebuilds model and optimizer at each, so another cut gives other bits.
 */
export function cutSegments(totalSteps: number, maxSteps: number): readonly Segment[] | null {
  const count = Math.ceil(totalSteps / Math.max(1, maxSteps));
  if (count > MAX_SEGMENTS) return null;
  return Array.from({ length: count }, (_, index) => ({
    index,
    fromStep: Math.floor((index * totalSteps) / count),
    toStep: Math.floor(((index + 1) * totalSteps) / count),
  }));
}

/** Multiplications a slow core does in a microsecond, one thread. */
const MULTIPLICATIONS_PER_US = 2_000;
/** What TensorFlow.js spends on one layer of one step beside the arithmetic, forward, backward and update together. */
const OVERHEAD_PER_LAYER_US = 2_000;

/** A careful guess of how long one training step takes on one core, in microseconds; backward costs twice forward. */
export function estimateStepMicros(
  model: {
    readonly layers: readonly unknown[];
    readonly multiplicationsPerRow: number;
  },
  batchSize: number,
): number {
  const arithmetic = (3 * model.multiplicationsPerRow * batchSize) / MULTIPLICATIONS_PER_US;
  return Math.ceil(arithmetic + model.layers.length * OVERHEAD_PER_LAYER_US);
}

/** How many steps fit between two checkpoints: never none, never more than the operator allows. */
export function stepsPerSegment(
  checkpointEveryMs: number,
  stepMicros: number,
  maxSteps: number,
): number {
  return Math.min(Math.max(Math.floor((checkpointEveryMs * 1000) / stepMicros), 1), maxSteps);
}
