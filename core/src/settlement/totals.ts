import type { SettlementTotals } from '@tidemill/protocol';
import { assert } from '../assert.js';

export const NO_TOTALS: SettlementTotals = {
  spent: 0n,
  earned: 0n,
  slashed: 0n,
  refunded: 0n,
  fees: 0n,
  feesGiven: 0n,
  dust: 0n,
};

const NAMES = Object.keys(NO_TOTALS) as (keyof SettlementTotals)[];

/** A charge that is released, of a job of which nothing will be charged or taken back any more. In base units. */
export interface SettledCharge {
  readonly price: bigint;
  readonly fee: bigint;
  readonly payer: 'submitter' | 'fees';
  /** Its price went back to the submitter because the result was void; the worker in good faith keeps its part. */
  readonly refunded: boolean;
}

/**
 * What a charge adds to the lifetime totals. Where the network bears the price, out of fees at once or by giving it back, the
 * submitter has spent nothing and nothing was taken as a fee: the worker's part is what was given.
 */
export function counted({ price, fee, payer, refunded }: SettledCharge): SettlementTotals {
  assert(fee >= 0n && fee <= price, `a fee of ${fee} out of a price of ${price}`);
  const earned = price - fee;
  if (payer === 'fees' || refunded) return { ...NO_TOTALS, earned, feesGiven: earned };
  return { ...NO_TOTALS, spent: price, earned, fees: fee };
}

/** A slash of what was paid for already; what of it goes back to submitters is never more. */
export function slashed(amount: bigint, toSubmitters: bigint): SettlementTotals {
  assert(amount >= 0n && toSubmitters >= 0n, 'money moves one way only');
  assert(toSubmitters <= amount, `${toSubmitters} given back out of a slash of ${amount}`);
  return { ...NO_TOTALS, slashed: amount, refunded: toSubmitters };
}

export function sumOf(all: readonly SettlementTotals[]): SettlementTotals {
  const sum = { ...NO_TOTALS };
  for (const one of all) for (const name of NAMES) sum[name] += one[name];
  return sum;
}

/** Why totals cannot be committed after those of the epoch before, or null. The settlement program refuses the same (G8). */
export function faultOf(totals: SettlementTotals, before: SettlementTotals): string | null {
  const fallen = NAMES.find((name) => totals[name] < before[name]);
  if (fallen !== undefined) return `${fallen} fell from ${before[fallen]} to ${totals[fallen]}`;
  const { spent, feesGiven, earned, fees, dust } = totals;
  if (spent + feesGiven !== earned + fees + dust)
    return `spent ${spent} + feesGiven ${feesGiven} is not earned ${earned} + fees ${fees} + dust ${dust}`;
  if (totals.refunded > totals.slashed)
    return `refunded ${totals.refunded} is more than slashed ${totals.slashed}`;
  if (feesGiven > fees)
    return `feesGiven ${feesGiven} is more than fees ${fees}: nobody has paid for it yet`;
  return null;
}
