import type { CanonicalTensor, TaskOptimizer } from '@tidemill/protocol';
import type * as Tf from '@tensorflow/tfjs';
import { ChildFault } from './fault.js';
import type { NamedWeight } from './model.js';
import { fromCanonical, toCanonical } from './tensor-bytes.js';

/** What an optimizer keeps for each weight, in the order in which it hands it out. */
const SLOTS = {
  sgd: [],
  momentum: ['momentum'],
  rmsprop: ['mean-square', 'momentum'],
  adam: ['first-moment', 'second-moment'],
} as const;

/** Makes the optimizer of a task. The settings were checked at acceptance; one that is missing is a fault of the task. */
export function makeOptimizer(tf: typeof Tf, { type, settings }: TaskOptimizer): Tf.Optimizer {
  const number = (key: string): number => {
    const value = settings[key];
    if (typeof value !== 'string')
      throw new ChildFault('CHILD_PROTOCOL', `the optimizer ${type} lacks ${key}`);
    return Number(value);
  };
  switch (type) {
    case 'sgd':
      return tf.train.sgd(number('learningRate'));
    case 'momentum':
      return tf.train.momentum(
        number('learningRate'),
        number('momentum'),
        settings['nesterov'] === true,
      );
    case 'rmsprop':
      return tf.train.rmsprop(
        number('learningRate'),
        number('decay'),
        number('momentum'),
        number('epsilon'),
      );
    case 'adam':
      return tf.train.adam(
        number('learningRate'),
        number('beta1'),
        number('beta2'),
        number('epsilon'),
      );
  }
}

/** The optimizer's whole state: its count of steps, then each slot for all weights in the model's order. */
export async function readState(
  optimizer: Tf.Optimizer,
  type: TaskOptimizer['type'],
  trained: readonly NamedWeight[],
): Promise<CanonicalTensor[]> {
  const names = stateNames(type, trained);
  const tensors = await optimizer.getWeights();
  if (tensors.length !== names.length)
    throw new ChildFault(
      'CHILD_PROTOCOL',
      `${type} keeps ${tensors.length} tensors, not ${names.length}`,
    );
  return tensors.map(({ tensor }, i) => toCanonical(names[i] ?? '', tensor));
}

/** Sets an optimizer back to a committed state. Everybody does, the worker that wrote it included: an Adam that ran on differs in bits. */
export async function writeState(
  tf: typeof Tf,
  optimizer: Tf.Optimizer,
  type: TaskOptimizer['type'],
  trained: readonly NamedWeight[],
  state: readonly CanonicalTensor[],
): Promise<void> {
  const names = stateNames(type, trained);
  if (state.length !== names.length || state.some(({ name }, i) => name !== names[i]))
    throw new ChildFault(
      'CHECKPOINT_INVALID',
      `the optimizer state is not that of ${type} on this model`,
    );
  for (const [i, { shape }] of state.entries()) {
    const weight = i === 0 ? undefined : trained[(i - 1) % trained.length];
    const wanted = weight?.variable.shape ?? [];
    if (shape.length !== wanted.length || shape.some((size, axis) => size !== wanted[axis]))
      throw new ChildFault(
        'CHECKPOINT_INVALID',
        `optimizer tensor ${names[i]} has another shape than its weight`,
      );
  }
  const tensors = state.map((tensor) => ({ name: tensor.name, tensor: fromCanonical(tf, tensor) }));
  await optimizer.setWeights(tensors);
  // the optimizer made variables of its own from all but the count of steps
  for (const { tensor } of tensors) tensor.dispose();
}

function stateNames(type: TaskOptimizer['type'], trained: readonly NamedWeight[]): string[] {
  return [
    'iterations',
    ...SLOTS[type].flatMap((slot) => trained.map(({ name }) => `${name}/${slot}`)),
  ];
}
