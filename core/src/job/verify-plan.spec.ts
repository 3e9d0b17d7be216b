import { JobSpec } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copiesOf, verifyApplied, verifyPlanOf } from './verify-plan.js';

const planOf = (verify?: unknown) =>
  verifyPlanOf(JobSpec.parse({ kind: 'batch', runtime: { noop: {} }, verify }), 100_000);

test.each([
  [undefined, { method: 'audit', ratePpm: 100_000 }, 'audit:q=0.10', 1],
  ['standard', { method: 'audit', ratePpm: 100_000 }, 'audit:q=0.10', 1],
  [{ class: 'standard' }, { method: 'audit', ratePpm: 100_000 }, 'audit:q=0.10', 1],
  ['none', { method: 'none' }, 'none', 1],
  [{ class: 'none' }, { method: 'none' }, 'none', 1],
  [{ replicate: 3 }, { method: 'replicate', copies: 3 }, 'replicate:3', 3],
])(
  'verify %j means %j, is called %s and runs %i times at first',
  (verify, plan, applied, copies) => {
    expect(planOf(verify)).toEqual(plan);
    expect(verifyApplied(planOf(verify))).toBe(applied);
    expect(copiesOf(planOf(verify))).toBe(copies);
  },
);

test.each([
  [0, '0.00'],
  [1, '0.000001'],
  [5_000, '0.005'],
  [50_000, '0.05'],
  [123_456, '0.123456'],
  [1_000_000, '1.00'],
])('a rate of %i in a million is called q=%s', (ratePpm, text) => {
  expect(verifyApplied({ method: 'audit', ratePpm })).toBe(`audit:q=${text}`);
});

test('the rate a submitter is told is the rate that applies', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ratePpm) => {
      const said = verifyApplied({ method: 'audit', ratePpm }).slice('audit:q='.length);
      expect(Math.round(Number(said) * 1_000_000)).toBe(ratePpm);
    }),
  );
});
