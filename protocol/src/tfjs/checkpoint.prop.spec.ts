import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHECKPOINT_FAULTS,
  type CanonicalTensor,
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
} from './checkpoint.js';
import { commitment } from './commitment.js';
import { compareCheckpoints } from './compare.js';
import { toDecimal } from './decimal.js';

const name = fc.string({
  unit: fc.constantFrom('a', 'b', 'Z', '0', '1', '_', '/', '.', '-'),
  minLength: 1,
  maxLength: 12,
});
const metricName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/);
const decimal = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => toDecimal(value) ?? '0');

const tensor: fc.Arbitrary<CanonicalTensor> = fc
  .record({
    name,
    dtype: fc.constantFrom('float32' as const, 'int32' as const),
    shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    seed: fc.infiniteStream(fc.integer({ min: -100, max: 100 })),
  })
  .map(({ name, dtype, shape, seed }) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length }, () => seed.next().value ?? 0);
    const values = dtype === 'float32' ? Float32Array.from(numbers) : Int32Array.from(numbers);
    return { name, dtype, shape, bytes: new Uint8Array(values.buffer) };
  });

const checkpoint: fc.Arbitrary<Checkpoint> = fc.record({
  step: fc.nat(),
  cursor: fc.record({ epoch: fc.nat(), row: fc.nat() }),
  metrics: fc.dictionary(metricName, decimal, { maxKeys: 4 }),
  weights: fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 4 }),
  optimizer: fc.record({
    name: fc.constantFrom('adam', 'sgd'),
    state: fc.array(tensor, { maxLength: 3 }),
  }),
});

/** One text for one value, whatever buffers its bytes lie in; metrics by name. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (member instanceof Uint8Array) return [...member];
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

describe('checkpoint bytes', () => {
  test('decode to what was encoded, whatever the order of weights and metrics was', () => {
    fc.assert(
      fc.property(checkpoint, (value) => {
        const decoded = decodeCheckpoint(encodeCheckpoint(value));
        const weights = [...value.weights].sort((a, b) => (a.name < b.name ? -1 : 1));
        expect(plain(decoded)).toBe(plain({ ok: true, value: { ...value, weights } }));
        const turned = { ...value, weights: [...value.weights].reverse() };
        expect(commitment(turned)).toBe(commitment(value));
      }),
    );
  });

  test('have one spelling: whatever is accepted is written again byte for byte', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(checkpoint, changes, fc.nat(), (value, list, cut) => {
        const bytes = encodeCheckpoint(value);
        for (const [at, byte] of list) bytes[at % bytes.length] = byte;
        const part = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        const decoded = decodeCheckpoint(part);
        if (decoded.ok) expect(encodeCheckpoint(decoded.value)).toEqual(part);
        else expect(CHECKPOINT_FAULTS).toContain(decoded.code);
      }),
      { numRuns: 1_500 },
    );
  });

  test('arbitrary bytes behind the tag give a named fault or a checkpoint', () => {
    const tag = encodeCheckpoint({
      step: 0,
      cursor: { epoch: 0, row: 0 },
      metrics: {},
      weights: [],
      optimizer: { name: 'sgd', state: [] },
    }).subarray(0, 27);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (rest) => {
        const result = decodeCheckpoint(Uint8Array.from([...tag, ...rest]));
        expect(result.ok || CHECKPOINT_FAULTS.includes(result.code)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('differ as soon as anything differs', () => {
    fc.assert(
      fc.property(checkpoint, (value) => {
        expect(commitment({ ...value, step: value.step + 1 })).not.toBe(commitment(value));
        expect(commitment({ ...value, metrics: { ...value.metrics, zLoss: '0.5' } })).not.toBe(
          commitment(value),
        );
      }),
    );
  });
});

describe('comparing two checkpoints', () => {
  test('a checkpoint agrees with itself and the order of the two does not matter', () => {
    fc.assert(
      fc.property(checkpoint, checkpoint, (a, b) => {
        expect(compareCheckpoints(a, a).verdict).toBe('accept');
        expect(compareCheckpoints(a, b).verdict).toBe(compareCheckpoints(b, a).verdict);
      }),
    );
  });
});
