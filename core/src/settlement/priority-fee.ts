import { assert } from '../assert.js';

/** What is offered for room in a block, in millionths of a lamport for each compute unit. */
export interface PriorityFeeRule {
  /** Of recent fees, 0 to 100: what so many of them would have been enough against. */
  readonly percentile: number;
  readonly floor: number;
  /** Never more, however full the chain is: it waits instead. */
  readonly ceiling: number;
}

/** The fee for the next try of a transaction: what others paid lately, doubled with each try that found no room. */
export function priorityFee(
  recent: readonly number[],
  tries: number,
  { percentile, floor, ceiling }: PriorityFeeRule,
): number {
  assert(tries >= 0 && floor <= ceiling, 'a fee rule with its ends the right way round');
  const sorted = recent.toSorted((a, b) => a - b);
  const place = Math.ceil((percentile / 100) * sorted.length) - 1;
  const usual = sorted[Math.max(0, place)] ?? 0;
  // Without a floor of at least one, doubling nothing would never become something.
  const doubled = Math.max(usual, floor, tries > 0 ? 1 : 0) * 2 ** Math.min(tries, 30);
  return Math.min(ceiling, Math.floor(doubled));
}
