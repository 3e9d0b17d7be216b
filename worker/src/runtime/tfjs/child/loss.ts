import type { Loss } from '@tidemill/protocol';
import type * as Tf from '@tensorflow/tfjs';

/** Keeps a probability from 0 and 1, where the logarithm has no value. */
const EPSILON = 1e-7;

/** The mean loss of a batch. Class losses take `[rows]` indexes, the others `[rows, width]` quantities. */
export function batchLoss(
  tf: typeof Tf,
  loss: Loss,
  labels: Tf.Tensor,
  outputs: Tf.Tensor,
): Tf.Scalar {
  const rows = labels.shape.at(0) ?? 1;
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy': {
      const classes = outputs.shape.at(1) ?? 1;
      const wanted = tf.oneHot(labels.toInt() as Tf.Tensor1D, classes).toFloat();
      const total = outputs.sum(-1, true);
      const likely = outputs.div(total).clipByValue(EPSILON, 1 - EPSILON);
      return tf.neg(wanted.mul(likely.log()).sum(-1)).mean();
    }
    case 'binaryCrossentropy': {
      const likely = outputs.reshape([rows]).clipByValue(EPSILON, 1 - EPSILON);
      const hit = labels.mul(likely.log());
      const miss = tf.sub(1, labels).mul(tf.sub(1, likely).log());
      return tf.neg(hit.add(miss)).mean();
    }
    case 'meanSquaredError':
      return tf.square(tf.sub(outputs.reshape(labels.shape), labels)).mean();
    case 'meanAbsoluteError':
      return tf.abs(tf.sub(outputs.reshape(labels.shape), labels)).mean();
  }
}

/** Rows whose likeliest class is the label. */
export function countHits(loss: Loss, labels: Tf.Tensor, outputs: Tf.Tensor): Tf.Scalar {
  const rows = labels.shape.at(0) ?? 1;
  const said =
    loss === 'binaryCrossentropy'
      ? outputs.reshape([rows]).greater(0.5).toInt()
      : outputs.argMax(-1);
  return said.equal(labels.toInt()).sum();
}
