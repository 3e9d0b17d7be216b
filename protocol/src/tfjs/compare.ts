import type { CanonicalTensor, Checkpoint } from './checkpoint.js';

/** Relative L2 below which a tensor counts as the same across runtime classes. */
export const ACCEPT_BELOW = 1e-5;
/** Relative L2 above which it counts as another result. */
export const REJECT_ABOVE = 1e-3;

export type Comparison =
  | { readonly verdict: 'accept' | 'referee'; readonly worst: TensorDistance | null }
  | {
      readonly verdict: 'reject';
      readonly reason: 'structure' | 'not_finite' | 'distance';
      readonly worst: TensorDistance | null;
    };

export interface TensorDistance {
  readonly tensor: string;
  readonly relativeL2: number;
}

/**
 * Judges two ends of the same segment that were computed in different runtime classes. Inside one class commitments are compared
 * instead, bit for bit. Steps, cursor, names and shapes must agree exactly, float tensors by relative L2 of each; metrics are left
 * out, since one row that changes sides moves an accuracy by more than any rounding. The result does not depend on which comes first.
 */
export function compareCheckpoints(a: Checkpoint, b: Checkpoint): Comparison {
  const tensors = pairs(a, b);
  if (tensors === null) return { verdict: 'reject', reason: 'structure', worst: null };

  let worst: TensorDistance | null = null;
  for (const [left, right] of tensors) {
    const relativeL2 =
      left.dtype === 'int32'
        ? sameBytes(left.bytes, right.bytes)
        : distance(left.bytes, right.bytes);
    if (Number.isNaN(relativeL2))
      return { verdict: 'reject', reason: 'not_finite', worst: { tensor: left.name, relativeL2 } };
    if (worst === null || relativeL2 > worst.relativeL2) worst = { tensor: left.name, relativeL2 };
  }
  const largest = worst?.relativeL2 ?? 0;
  if (largest > REJECT_ABOVE) return { verdict: 'reject', reason: 'distance', worst };
  return { verdict: largest < ACCEPT_BELOW ? 'accept' : 'referee', worst };
}

/** Tensors that belong together, or null when the two are not of the same kind. */
function pairs(a: Checkpoint, b: Checkpoint): [CanonicalTensor, CanonicalTensor][] | null {
  if (a.step !== b.step || a.cursor.epoch !== b.cursor.epoch || a.cursor.row !== b.cursor.row)
    return null;
  if (a.optimizer.name !== b.optimizer.name) return null;
  const left = [...a.weights, ...a.optimizer.state];
  const right = [...b.weights, ...b.optimizer.state];
  if (left.length !== right.length || a.weights.length !== b.weights.length) return null;

  const result: [CanonicalTensor, CanonicalTensor][] = [];
  for (const [i, one] of left.entries()) {
    const other = right[i];
    if (other === undefined || one.name !== other.name || one.dtype !== other.dtype) return null;
    if (
      one.shape.length !== other.shape.length ||
      one.shape.some((size, axis) => size !== other.shape[axis])
    )
      return null;
    result.push([one, other]);
  }
  return result;
}

/** `‖a − b‖ ÷ max(‖a‖, ‖b‖)`; 0 for two zero tensors, NaN when either holds a value that is not finite. */
function distance(a: Uint8Array, b: Uint8Array): number {
  const left = new DataView(a.buffer, a.byteOffset, a.byteLength);
  const right = new DataView(b.buffer, b.byteOffset, b.byteLength);
  let apart = 0;
  let ofA = 0;
  let ofB = 0;
  for (let at = 0; at + 4 <= a.length; at += 4) {
    const x = left.getFloat32(at, true);
    const y = right.getFloat32(at, true);
    if (!Number.isFinite(x) || !Number.isFinite(y)) return NaN;
    apart += (x - y) ** 2;
    ofA += x ** 2;
    ofB += y ** 2;
  }
  const size = Math.max(ofA, ofB);
  return size === 0 ? 0 : Math.sqrt(apart / size);
}

function sameBytes(a: Uint8Array, b: Uint8Array): number {
  return a.every((byte, i) => byte === b[i]) ? 0 : Infinity;
}
