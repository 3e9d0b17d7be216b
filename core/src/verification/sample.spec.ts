import { utf8ToBytes } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditedSegments, isAudited } from './sample.js';

const draw = fc.uint8Array({ minLength: 6, maxLength: 32 });
const drawOf = (seed: string) => (index: number) => nodeSha256(utf8ToBytes(`${seed} ${index}`));

test('a rate of one takes every result, a rate of none takes none', () => {
  fc.assert(
    fc.property(
      fc.oneof(draw, fc.constant(new Uint8Array(6)), fc.constant(new Uint8Array(6).fill(255))),
      (any) => {
        expect(isAudited(any, 1_000_000)).toBe(true);
        expect(isAudited(any, 0)).toBe(false);
      },
    ),
  );
});

test('whoever is taken at a rate is taken at any higher one', () => {
  const rate = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(draw, rate, rate, (any, a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      if (isAudited(any, low)) expect(isAudited(any, high)).toBe(true);
    }),
  );
});

test('only the first six bytes of a draw count', () => {
  fc.assert(
    fc.property(draw, draw, fc.integer({ min: 0, max: 1_000_000 }), (any, rest, rate) => {
      const head = any.slice(0, 6);
      expect(isAudited(Uint8Array.from([...head, ...rest]), rate)).toBe(isAudited(head, rate));
    }),
  );
});

test.each([10, 1_000, 50_000, 100_000, 500_000, 999_000])(
  'of 100,000 draws about %i in a million are taken',
  (ratePpm) => {
    const count = 100_000;
    const at = drawOf('rate');
    let taken = 0;
    for (let i = 0; i < count; i += 1) if (isAudited(at(i), ratePpm)) taken += 1;
    const rate = ratePpm / 1_000_000;
    // Five standard deviations and one: the draws are fixed, so it holds always or never.
    const bound = 5 * Math.sqrt(count * rate * (1 - rate)) + 1;
    expect(Math.abs(taken - count * rate)).toBeLessThanOrEqual(bound);
  },
);

test('the audited segments are different ones of those there are, in order, as many as asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: 10 }),
      fc.string(),
      (segments, count, seed) => {
        const audited = auditedSegments(segments, count, drawOf(seed));
        expect(audited).toHaveLength(Math.min(segments, count));
        expect(new Set(audited).size).toBe(audited.length);
        expect([...audited].sort((a, b) => a - b)).toEqual(audited);
        expect(
          audited.every((index) => Number.isInteger(index) && index >= 0 && index < segments),
        ).toBe(true);
        expect(auditedSegments(segments, count, drawOf(seed))).toEqual(audited);
      },
    ),
  );
});

test('every segment of fifty is as likely to be audited as any other', () => {
  const jobs = 5_000;
  const counts = Array<number>(50).fill(0);
  for (let job = 0; job < jobs; job += 1) {
    for (const index of auditedSegments(50, 2, drawOf(`job ${job}`)))
      counts[index] = (counts[index] ?? 0) + 1;
  }
  const expected = (jobs * 2) / 50;
  const bound = 5 * Math.sqrt(jobs * 0.04 * 0.96);
  for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(bound);
});

test('two of fifty find a run that faked half of them about three times in four', () => {
  const jobs = 4_000;
  let found = 0;
  for (let job = 0; job < jobs; job += 1) {
    if (auditedSegments(50, 2, drawOf(`half ${job}`)).some((index) => index < 25)) found += 1;
  }
  // 1 − C(25, 2) / C(50, 2)
  const rate = 1 - (25 * 24) / (50 * 49);
  expect(Math.abs(found / jobs - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / jobs));
});

test('segments with the same draw are taken from the first', () => {
  expect(auditedSegments(5, 2, () => new Uint8Array(4))).toEqual([0, 1]);
});
