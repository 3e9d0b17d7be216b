import { PAGE_ENTRIES } from '@tidemill/protocol';

/** A subtree of 2^height indexes from `start`, and which of them are to be paid. */
export interface PlannedClaim {
  readonly start: number;
  readonly height: number;
  readonly indexes: readonly number[];
}

/** As many as fit in a transaction without an address table, in a tree of ten thousand. */
const MAX_CLAIM_HEIGHT = 3;

/**
 * How to pay indexes with few transactions: those that share an aligned subtree are paid by one, under one proof. A subtree that
 * `fits` refuses is halved. A batch pays out of one page only.
 */
export function claimPlan(
  due: readonly number[],
  depth: number,
  fits: (claim: PlannedClaim) => boolean,
): PlannedClaim[] {
  const height = Math.min(MAX_CLAIM_HEIGHT, depth);
  const subtrees = new Map<string, number[]>();
  for (const index of due) {
    const name = `${Math.floor(index / 2 ** height)} ${Math.floor(index / PAGE_ENTRIES)}`;
    subtrees.set(name, [...(subtrees.get(name) ?? []), index]);
  }
  return [...subtrees.values()].flatMap((indexes) => {
    const [first = 0] = indexes;
    const start = Math.floor(first / 2 ** height) * 2 ** height;
    return halved({ start, height, indexes: indexes.toSorted((a, b) => a - b) }, fits);
  });
}

function halved(claim: PlannedClaim, fits: (claim: PlannedClaim) => boolean): PlannedClaim[] {
  const { start, height, indexes } = claim;
  const [first] = indexes;
  if (first === undefined) return [];
  if (indexes.length === 1) return [{ start: first, height: 0, indexes }];
  if (height === 0 || fits(claim)) return [claim];
  const middle = start + 2 ** (height - 1);
  const half = (from: number, of: readonly number[]) =>
    halved({ start: from, height: height - 1, indexes: of }, fits);
  return [
    ...half(
      start,
      indexes.filter((index) => index < middle),
    ),
    ...half(
      middle,
      indexes.filter((index) => index >= middle),
    ),
  ];
}
