import fc from 'fast-check';
import { expect, test } from 'vitest';
import { charge, check, earn, grant, hold, NETWORK, release, type Entry } from './entries.js';

const amount = fc.bigInt({ min: 0n, max: 10n ** 15n });
const bps = fc.integer({ min: 0, max: 10_000 });

const every = (units: bigint, feeBps = 250): Entry[] => [
  grant('r', 'acc', units),
  hold('job', 'acc', units),
  charge('att', 'acc', 'wrk', units, feeBps, 'earned'),
  charge('att', 'acc', 'wrk', units, feeBps, 'pending'),
  charge('att', 'acc', 'wrk', units, feeBps, 'pending', units),
  check('att', 'wrk', units, 'earned'),
  earn('att', 'wrk', units),
  release('job', 'acc', units),
];

test('every entry sums to zero, and no posting of it is empty', () => {
  fc.assert(
    fc.property(amount, bps, (units, feeBps) => {
      for (const { postings } of every(units, feeBps)) {
        expect(postings.reduce((sum, posting) => sum + posting.amount, 0n)).toBe(0n);
        expect(postings.every((posting) => posting.amount !== 0n)).toBe(true);
      }
    }),
  );
});

test('money that flows the wrong way is a bug, and is stopped', () => {
  const wrong = [
    () => grant('r', 'acc', -1n),
    () => hold('job', 'acc', -1n),
    () => charge('att', 'acc', 'wrk', -1n, 250, 'earned'),
    () => check('att', 'wrk', -1n, 'earned'),
    () => earn('att', 'wrk', -1n),
    () => release('job', 'acc', -1n),
  ];
  for (const make of wrong) expect(make).toThrow('money moves one way only');
});

test('a charge pays the worker and the network out of the hold', () => {
  expect(charge('att_1', 'acc_1', 'wrk_1', 1_001n, 250, 'pending')).toEqual({
    kind: 'charge',
    ref: 'att_1',
    postings: [
      { owner: 'acc_1', bucket: 'held', amount: -1_001n },
      { owner: 'wrk_1', bucket: 'pending', amount: 976n },
      { owner: NETWORK, bucket: 'fees', amount: 25n },
    ],
  });
});

test('the last charge of a job gives back what is left of the hold', () => {
  expect(charge('att_1', 'acc_1', 'wrk_1', 1_001n, 250, 'pending', 99n)).toEqual({
    kind: 'charge',
    ref: 'att_1',
    postings: [
      { owner: 'acc_1', bucket: 'held', amount: -1_100n },
      { owner: 'acc_1', bucket: 'available', amount: 99n },
      { owner: 'wrk_1', bucket: 'pending', amount: 976n },
      { owner: NETWORK, bucket: 'fees', amount: 25n },
    ],
  });
  expect(() => charge('att', 'acc', 'wrk', 2n, 250, 'earned', -1n)).toThrow('overdrawn');
});

test('what a charge takes is what its worker and the network get', () => {
  fc.assert(
    fc.property(amount, bps, (price, feeBps) => {
      const { postings } = charge('att', 'acc', 'wrk', price, feeBps, 'earned');
      const of = (owner: string) =>
        postings.find((posting) => posting.owner === owner)?.amount ?? 0n;
      expect(of('wrk') + of(NETWORK)).toBe(price);
      expect(of('acc')).toBe(-price);
    }),
  );
});

test('the life of a job returns what it did not use, and money is neither made nor lost', () => {
  fc.assert(
    fc.property(amount, fc.array(amount, { maxLength: 5 }), bps, (most, prices, feeBps) => {
      const balances = new Map<string, bigint>();
      const book = ({ postings }: Entry) => {
        for (const { owner, bucket, amount: units } of postings) {
          const name = `${owner} ${bucket}`;
          balances.set(name, (balances.get(name) ?? 0n) + units);
        }
      };
      const of = (name: string) => balances.get(name) ?? 0n;
      book(grant('r', 'acc', most));
      book(hold('job', 'acc', most));
      for (const [i, price] of prices.entries()) {
        if (price <= of('acc held'))
          book(charge(`att${i}`, 'acc', 'wrk', price, feeBps, 'pending'));
      }
      book(earn('att', 'wrk', of('wrk pending')));
      book(release('job', 'acc', of('acc held')));
      expect(of('acc held')).toBe(0n);
      expect(of('wrk pending')).toBe(0n);
      expect(of('acc available') + of('wrk earned') + of(`${NETWORK} fees`)).toBe(most);
      expect(of('acc grants')).toBe(-most);
    }),
  );
});
