import {
  type Metric,
  type MetricValues,
  type TfjsTrainingTask,
  toDecimal,
} from '@tidemill/protocol';
import type * as Tf from '@tensorflow/tfjs';
import { ChildFault } from './fault.js';
import { batchLoss, countHits } from './loss.js';

/** What one batch showed, each as a mean over its rows. */
export type Measured = Readonly<Record<'loss' | Metric, number>>;

/** Reads loss and metrics of a batch. Metrics nobody asked for cost nothing and read 0. */
export function measureBatch(
  tf: typeof Tf,
  task: TfjsTrainingTask,
  labels: Tf.Tensor,
  outputs: Tf.Tensor,
  loss: Tf.Scalar,
): Measured {
  const asked = (metric: Metric, tensor: () => Tf.Tensor) =>
    task.metrics.includes(metric) ? scalarOf(tensor()) : 0;
  return {
    loss: scalarOf(loss),
    accuracy:
      asked('accuracy', () => countHits(task.loss, labels, outputs)) / (labels.shape.at(0) ?? 1),
    meanAbsoluteError: asked('meanAbsoluteError', () =>
      batchLoss(tf, 'meanAbsoluteError', labels, outputs),
    ),
    meanSquaredError: asked('meanSquaredError', () =>
      batchLoss(tf, 'meanSquaredError', labels, outputs),
    ),
  };
}

function scalarOf(tensor: Tf.Tensor): number {
  return tensor.dataSync()[0] ?? NaN;
}

/** Means over batches, weighted by rows, added up in double precision and in order, so that everybody gets the same digits. */
export class Tally {
  private readonly names: readonly ('loss' | Metric)[];
  private readonly sums = { loss: 0, accuracy: 0, meanAbsoluteError: 0, meanSquaredError: 0 };
  private rows = 0;

  constructor(task: Pick<TfjsTrainingTask, 'metrics'>) {
    this.names = ['loss', ...task.metrics];
  }

  add(rows: number, measured: Measured): void {
    for (const name of this.names) this.sums[name] += measured[name] * rows;
    this.rows += rows;
  }

  /** The batch's own figures, for people who watch. */
  latest(measured: Measured): Record<string, number> {
    return Object.fromEntries(this.names.map((name) => [name, measured[name]]));
  }

  /** The means as decimals, names behind `prefix`; nothing when nothing was added. */
  metrics(prefix: '' | 'val'): MetricValues {
    if (this.rows === 0) return {};
    return Object.fromEntries(
      this.names.map((name) => {
        const value = toDecimal(this.sums[name] / this.rows);
        if (value === null)
          throw new ChildFault('LOSS_NOT_FINITE', `the mean ${name} is not finite`);
        return [
          prefix === '' ? name : `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
          value,
        ];
      }),
    );
  }
}
