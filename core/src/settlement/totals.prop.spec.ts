import type { SettlementTotals } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimable, isSolvent, owedBy, vaultOf, withdrawable } from './solvency.js';
import { counted, faultOf, NO_TOTALS, type SettledCharge, slashed, sumOf } from './totals.js';

const units = fc.bigInt({ min: 0n, max: 10n ** 15n });
/** Fees that cover whatever the network gives away in these tests. */
const FEES: SettlementTotals = { ...NO_TOTALS, spent: 10n ** 18n, fees: 10n ** 18n };
const aCharge: fc.Arbitrary<SettledCharge> = fc
  .record({
    price: units,
    feeBps: fc.bigInt({ min: 0n, max: 10_000n }),
    payer: fc.constantFrom('submitter' as const, 'fees' as const),
    refunded: fc.boolean(),
  })
  .map(({ price, feeBps, payer, refunded }) => ({
    price,
    // What is paid out of fees bears none.
    fee: payer === 'fees' ? 0n : (price * feeBps) / 10_000n,
    payer,
    refunded: payer === 'submitter' && refunded,
  }));

test('whatever is charged, taken back and paid out of fees, what came in is what went out (G8)', () => {
  fc.assert(
    fc.property(fc.array(aCharge), fc.array(aCharge), (first, later) => {
      const before = sumOf([FEES, ...first.map(counted)]);
      const after = sumOf([before, ...later.map(counted)]);
      expect(faultOf(before, NO_TOTALS)).toBeNull();
      expect(faultOf(after, before)).toBeNull();
    }),
  );
});

test('a worker in good faith gets the same, whoever pays', () => {
  fc.assert(
    fc.property(aCharge, (charge) => {
      expect(counted(charge).earned).toBe(charge.price - charge.fee);
    }),
  );
});

test('totals that fall, or that do not balance, are not committed', () => {
  const sound = counted({ price: 1_000n, fee: 25n, payer: 'submitter', refunded: false });
  expect(faultOf(sound, NO_TOTALS)).toBeNull();
  for (const name of ['spent', 'earned', 'fees', 'feesGiven', 'dust'] as const)
    expect(faultOf({ ...sound, [name]: sound[name] + 1n }, NO_TOTALS)).toContain('is not earned');
  expect(faultOf(NO_TOTALS, sound)).toContain('spent fell from 1000 to 0');
  expect(faultOf({ ...sound, refunded: 1n }, NO_TOTALS)).toContain('more than slashed');
  const given = counted({ price: 26n, fee: 0n, payer: 'fees', refunded: false });
  expect(faultOf(sumOf([sound, given]), sound)).toContain('nobody has paid for it');
  expect(faultOf(sumOf([sound, slashed(5n, 5n)]), sound)).toBeNull();
  expect(() => slashed(5n, 6n)).toThrow('given back out of a slash of 5');
});

test('a network whose fees cover what it gave away can pay everybody, to the base unit', () => {
  fc.assert(
    fc.property(fc.array(aCharge), units, (charges, extra) => {
      const totals = sumOf([FEES, ...charges.map(counted)]);
      const chain = {
        deposited: totals.spent + extra,
        withdrawn: 0n,
        paid: 0n,
        feesWithdrawn: 0n,
      };
      expect(owedBy(totals, chain)).toBe(vaultOf(chain));
      expect(isSolvent(totals, chain)).toBe(true);
      expect(isSolvent(totals, { ...chain, paid: totals.earned })).toBe(true);
      // What is taken from workers who still have it can be given to submitters, and a part of it stays in the vault.
      const enough = sumOf([totals, { ...NO_TOTALS, spent: 10n, earned: 10n }]);
      const slash = sumOf([enough, slashed(10n, 4n)]);
      const richer = { ...chain, deposited: chain.deposited + 10n };
      expect(vaultOf(richer) - (owedBy(slash, richer) ?? 0n)).toBe(6n);
    }),
  );
});

test('what workers were paid before a slash is not there for submitters (G8)', () => {
  const totals = { ...NO_TOTALS, spent: 100n, earned: 100n };
  const chain = { deposited: 100n, withdrawn: 0n, paid: 100n, feesWithdrawn: 0n };
  expect(isSolvent(totals, chain)).toBe(true);
  expect(isSolvent(sumOf([totals, slashed(50n, 0n)]), chain)).toBe(true);
  expect(isSolvent(sumOf([totals, slashed(50n, 50n)]), chain)).toBe(false);
  // Nor may submitters have spent more than is left of what they brought.
  expect(owedBy(totals, { ...chain, withdrawn: 1n })).toBeNull();
  expect(isSolvent(totals, { ...chain, withdrawn: 1n })).toBe(false);
});

test('a claim pays what is new, and never takes back', () => {
  const leaf = { lifetimeEarned: 100n, lifetimeSlashed: 30n };
  expect(claimable(leaf, 50n)).toBe(20n);
  expect(claimable(leaf, 70n)).toBe(0n);
  expect(claimable(leaf, 90n)).toBe(0n);
});

test('what is held for jobs cannot be withdrawn', () => {
  const leaf = { lifetimeSpent: 40n, lifetimeRefunded: 5n, held: 30n };
  expect(withdrawable(leaf, { deposited: 100n, withdrawn: 10n })).toBe(25n);
  expect(withdrawable(leaf, { deposited: 60n, withdrawn: 10n })).toBe(0n);
});
