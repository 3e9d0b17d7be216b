/**
 * Why a co-signer does not sign.
 * - `WRONG_NETWORK`: the statement is for another network or program.
 * - `WRONG_EPOCH`: it is not the epoch after the last one checked, or the chain has passed it.
 * - `TWO_STATEMENTS`: another statement for this epoch was signed before.
 * - `SEALED_SLOT`: it was sealed before the last one, or at a slot that is not final yet.
 * - `TRAIL_MALFORMED`: an event is none, or contradicts an earlier one.
 * - `TRAIL_REWOUND`: the trail is shorter than the one seen before.
 * - `TRAIL_FORKED`: the events seen are not those of the statement's root, or do not continue those seen before.
 * - `REGISTRY`: it names a registry, and there is none to check it against.
 * - `CHARGE_TWICE`: a charge stands twice, or was in an epoch before.
 * - `CHARGE_NOT_BOOKED`: the trail does not say that it was booked.
 * - `CHARGE_CONTRADICTS`: it is not what the trail says was booked or refunded.
 * - `CHARGE_NOT_DUE`: the trail gives no verdict for which it would be due.
 * - `FEE`: more was taken as a fee than the network may take.
 * - `HOLD`: its job was charged more than was held for it, or the trail knows no such job.
 * - `SUBMITTER`: an account spends in the name of another wallet than before, or two in the name of one.
 * - `RECEIPT`: there is no receipt that its worker signed and the trail names.
 * - `LEAF_MISSING`: a leaf that was there, or has to be, is not.
 * - `LEAF_CONTRADICTS`: a leaf does not say what was earned or spent, or changed its owner.
 * - `PAYEE`: a worker is to be paid at an address that it did not order.
 * - `HELD`: what is held for a submitter's jobs is not what is open, or more than there is.
 * - `PAID`: a leaf says less than was paid.
 * - `TOTALS`: the totals are not the sum of what happened, fell, or break their rules.
 * - `ROOT`: the leaves do not lead to the root.
 * - `INSOLVENT`: more would be owed than the vault holds.
 */
export type ObjectionCode =
  | 'WRONG_NETWORK'
  | 'WRONG_EPOCH'
  | 'TWO_STATEMENTS'
  | 'SEALED_SLOT'
  | 'TRAIL_MALFORMED'
  | 'TRAIL_REWOUND'
  | 'TRAIL_FORKED'
  | 'REGISTRY'
  | 'CHARGE_TWICE'
  | 'CHARGE_NOT_BOOKED'
  | 'CHARGE_CONTRADICTS'
  | 'CHARGE_NOT_DUE'
  | 'FEE'
  | 'HOLD'
  | 'SUBMITTER'
  | 'RECEIPT'
  | 'LEAF_MISSING'
  | 'LEAF_CONTRADICTS'
  | 'PAYEE'
  | 'HELD'
  | 'PAID'
  | 'TOTALS'
  | 'ROOT'
  | 'INSOLVENT';

/** What is wrong, and where. */
export interface Objection {
  readonly code: ObjectionCode;
  readonly detail: string;
}

export const objection = (code: ObjectionCode, detail: string): Objection => ({ code, detail });

/** The first objection among the items, or null. */
export function firstObjection<T>(
  items: Iterable<T>,
  check: (item: T) => Objection | null,
): Objection | null {
  for (const item of items) {
    const found = check(item);
    if (found !== null) return found;
  }
  return null;
}
