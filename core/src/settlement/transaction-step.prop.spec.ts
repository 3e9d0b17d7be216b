import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NodeWord, type Sighting, transactionStep } from './transaction-step.js';

const LAST = 100n;
const SIGHTINGS: readonly Sighting[] = ['absent', 'seen', 'finalized', 'refused'];
/** Everything a node can say, as far as the rule can tell it apart. */
const WORDS: readonly NodeWord[] = [
  null,
  ...SIGHTINGS.flatMap((sighting) =>
    [LAST - 1n, LAST, LAST + 1n].map((finalizedHeight) => ({ finalizedHeight, sighting })),
  ),
];

/** Every answer of so many nodes. */
function everyAnswer(nodes: number): NodeWord[][] {
  if (nodes === 0) return [[]];
  return everyAnswer(nodes - 1).flatMap((rest) => WORDS.map((word) => [word, ...rest]));
}

/** What is true of a transaction, and so what a node that does not lie can say at a height. */
type Fate =
  | { readonly kind: 'landed' | 'refused'; readonly at: bigint }
  /** It lies somewhere and no block has taken it yet. */
  | { readonly kind: 'on its way' };

function honestWord(fate: Fate, finalizedHeight: bigint, aheadOfFinal: bigint): NodeWord {
  if (fate.kind === 'on its way' || fate.at > finalizedHeight + aheadOfFinal)
    return { finalizedHeight, sighting: 'absent' };
  if (fate.at > finalizedHeight) return { finalizedHeight, sighting: 'seen' };
  return { finalizedHeight, sighting: fate.kind === 'landed' ? 'finalized' : 'refused' };
}

const height = fc.bigInt({ min: 0n, max: 2n * LAST });
/** A transaction lands by its last height or never; one on its way may land as long as the chain has not passed it. */
const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('landed' as const, 'refused' as const),
    at: fc.bigInt({ min: 0n, max: LAST }),
  }),
  fc.constant({ kind: 'on its way' as const }),
);
const anything = fc.constantFrom(...WORDS);

describe('what becomes of a signed transaction (G10)', () => {
  test.each([2, 3])(
    'every answer of %i nodes: one node alone never decides anything for good',
    (nodes) => {
      for (const words of everyAnswer(nodes)) {
        const step = transactionStep(LAST, words);
        const saying = (holds: (word: NonNullable<NodeWord>) => boolean) =>
          words.filter((word) => word !== null && holds(word)).length;
        const seen = saying(({ sighting }) => sighting !== 'absent');
        if (step === 'done') {
          expect(saying(({ sighting }) => sighting === 'finalized')).toBeGreaterThanOrEqual(2);
          expect(saying(({ sighting }) => sighting === 'refused')).toBe(0);
        }
        if (step === 'failed') {
          expect(saying(({ sighting }) => sighting === 'refused')).toBeGreaterThanOrEqual(2);
          expect(saying(({ sighting }) => sighting === 'finalized')).toBe(0);
        }
        if (step === 'expired') {
          expect(seen).toBe(0);
          expect(saying(({ finalizedHeight }) => finalizedHeight > LAST)).toBeGreaterThanOrEqual(2);
        }
        if (step === 'resend')
          expect(
            saying(
              ({ sighting, finalizedHeight }) => sighting === 'absent' && finalizedHeight <= LAST,
            ),
          ).toBeGreaterThan(0);
      }
    },
  );

  test('with one liar among the nodes it is never given up while it could land, nor believed when it did not', () => {
    fc.assert(
      fc.property(
        fate,
        fc.array(fc.record({ at: height, ahead: fc.bigInt({ min: 0n, max: 40n }) }), {
          minLength: 1,
          maxLength: 2,
        }),
        fc.option(anything, { nil: undefined }),
        (truth, honest, lie) => {
          const words = honest.map(({ at, ahead }) => honestWord(truth, at, ahead));
          const step = transactionStep(LAST, lie === undefined ? words : [lie, ...words]);
          if (step === 'done') expect(truth.kind).toBe('landed');
          if (step === 'failed') expect(truth.kind).toBe('refused');
          if (step === 'expired') {
            expect(truth.kind).toBe('on its way');
            // The chain has passed it, for an honest node has: no block can take it any more.
            expect(honest.some(({ at }) => at > LAST)).toBe(true);
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('when all nodes answer and agree, it always comes to an end', () => {
    for (const [sighting, step] of [
      ['finalized', 'done'],
      ['refused', 'failed'],
      ['absent', 'expired'],
    ] as const) {
      const word = { finalizedHeight: LAST + 1n, sighting };
      expect(transactionStep(LAST, [word, word])).toBe(step);
    }
  });

  test('while it may land and nobody has it, the same bytes are sent again', () => {
    const word: NodeWord = { finalizedHeight: LAST, sighting: 'absent' };
    expect(transactionStep(LAST, [word, word])).toBe('resend');
    expect(transactionStep(LAST, [word, null])).toBe('resend');
    expect(transactionStep(LAST, [null, null])).toBe('wait');
  });

  test('a node that claims to have it for ever does not keep it from being sent to the others', () => {
    const liar: NodeWord = { finalizedHeight: LAST + 1n, sighting: 'finalized' };
    expect(transactionStep(LAST, [liar, { finalizedHeight: LAST, sighting: 'absent' }])).toBe(
      'resend',
    );
    expect(transactionStep(LAST, [liar, { finalizedHeight: LAST + 1n, sighting: 'absent' }])).toBe(
      'wait',
    );
  });
});
