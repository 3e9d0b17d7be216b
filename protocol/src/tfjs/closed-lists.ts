/** Losses the engine computes itself; no other name is accepted. */
export const LOSSES = [
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'binaryCrossentropy',
  'meanSquaredError',
  'meanAbsoluteError',
] as const;
export type Loss = (typeof LOSSES)[number];

/** Optimizers whose whole state can be read and written, so that a segment can start from bytes. */
export const OPTIMIZERS = ['sgd', 'momentum', 'rmsprop', 'adam'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

/** Metrics beside the loss. */
export const METRICS = ['accuracy', 'meanAbsoluteError', 'meanSquaredError'] as const;
export type Metric = (typeof METRICS)[number];

/** Whether labels are classes (whole numbers below `classes`) rather than quantities. */
export function isClassLoss(loss: Loss): boolean {
  return loss.endsWith('Crossentropy');
}
