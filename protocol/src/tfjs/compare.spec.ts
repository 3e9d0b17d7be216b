import { describe, expect, test } from 'vitest';
import type { CanonicalTensor, Checkpoint } from './checkpoint.js';
import { compareCheckpoints } from './compare.js';

function tensor(
  name: string,
  values: number[],
  dtype: 'float32' | 'int32' = 'float32',
): CanonicalTensor {
  const array = dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values);
  return { name, dtype, shape: [values.length], bytes: new Uint8Array(array.buffer) };
}

function checkpoint(weights: CanonicalTensor[], iterations = 5): Checkpoint {
  return {
    step: 5,
    cursor: { epoch: 0, row: 160 },
    metrics: { loss: '0.5' },
    weights,
    optimizer: { name: 'adam', state: [tensor('iter', [iterations], 'int32')] },
  };
}

describe('two ends of one segment', () => {
  const base = checkpoint([tensor('a', [1, 2, 3]), tensor('b', [0, 0])]);

  test.each([
    ['the same bits', 0, 'accept'],
    ['rounding', 3e-6, 'accept'],
    ['something between', 1e-4, 'referee'],
    ['another result', 2e-3, 'reject'],
  ])('%s', (_, relative, verdict) => {
    const other = checkpoint([
      tensor(
        'a',
        [1, 2, 3].map((value) => value * (1 + relative)),
      ),
      tensor('b', [0, 0]),
    ]);
    expect(compareCheckpoints(base, other).verdict).toBe(verdict);
  });

  test('one bad tensor is enough, however good the others are', () => {
    const other = checkpoint([tensor('a', [1, 2, 3]), tensor('b', [0, 1e-9])]);
    expect(compareCheckpoints(base, other)).toEqual({
      verdict: 'reject',
      reason: 'distance',
      worst: { tensor: 'b', relativeL2: 1 },
    });
  });

  test('a value that is not finite is rejected on either side', () => {
    const other = checkpoint([tensor('a', [1, NaN, 3]), tensor('b', [0, 0])]);
    expect(compareCheckpoints(base, other)).toMatchObject({
      verdict: 'reject',
      reason: 'not_finite',
    });
    expect(compareCheckpoints(other, base)).toMatchObject({
      verdict: 'reject',
      reason: 'not_finite',
    });
  });

  test('other names, shapes, steps or iterations are another kind of thing', () => {
    expect(compareCheckpoints(base, checkpoint([tensor('a', [1, 2, 3])]))).toMatchObject({
      reason: 'structure',
    });
    expect(compareCheckpoints(base, { ...base, step: 6 })).toMatchObject({ reason: 'structure' });
    expect(
      compareCheckpoints(base, checkpoint([tensor('a', [1, 2, 3]), tensor('b', [0, 0])], 6))
        .verdict,
    ).toBe('reject');
  });

  test('metrics are no part of it', () => {
    expect(compareCheckpoints(base, { ...base, metrics: { loss: '0.9' } }).verdict).toBe('accept');
  });
});
