import type { CanonicalTensor } from '@tidemill/protocol';
import type * as Tf from '@tensorflow/tfjs';
import { ChildFault } from './fault.js';

/** The bytes of a tensor, little endian as the machine's own memory (x86-64 and arm64). */
export function toCanonical(name: string, tensor: Tf.Tensor): CanonicalTensor {
  const { dtype } = tensor;
  if (dtype !== 'float32' && dtype !== 'int32')
    throw new ChildFault('MODEL_INVALID', `tensor ${name} has the type ${dtype}`);
  const values = tensor.dataSync();
  if (dtype === 'float32' && !values.every(Number.isFinite))
    throw new ChildFault('LOSS_NOT_FINITE', `tensor ${name} has a value that is not finite`);
  return {
    name,
    dtype,
    shape: tensor.shape,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

export function fromCanonical(tf: typeof Tf, { dtype, shape, bytes }: CanonicalTensor): Tf.Tensor {
  const copy = Uint8Array.from(bytes); // own memory: a slice of a Buffer would be a view, at any address
  const values = dtype === 'float32' ? new Float32Array(copy.buffer) : new Int32Array(copy.buffer);
  return tf.tensor(values, [...shape], dtype);
}
