import type { ProvenAttempt, Provenance } from './bundle.js';
import { fault, firstFault, type Case, type ProvenanceFault } from './case.js';

type Legs = Readonly<Record<string, bigint>>;

/** The owner of the network's own buckets. */
const FEES = 'network:fees';

/** What was charged is what the trail says was booked, for an accepted result and for nothing else. */
export function checkCharges(of: Case): ProvenanceFault | null {
  const { attempts, job } = of.bundle;
  const wrong = firstFault(attempts, ({ id, workerId, verdict, charge }) => {
    const booked = of.said('ledger.booked', id);
    if (charge === null) {
      return booked.length === 0
        ? null
        : fault('CHARGE_CONTRADICTS', `${id} was booked, shown is nothing`);
    }
    const { price, fee, payer } = charge;
    const shown: Record<string, unknown> = {
      attempt: id,
      job: job.id,
      worker: workerId,
      price,
      fee,
      payer,
    };
    const odd = Object.keys(shown).find((name) => booked[0]?.[name] !== shown[name]);
    const isDue = verdict?.verdict === 'accepted' && verdict.payer === payer;
    const isSane =
      BigInt(fee) >= 0n && BigInt(fee) <= BigInt(price) && (payer === 'submitter' || fee === '0');
    if (odd !== undefined || booked.length !== 1 || !isDue || !isSane) {
      return fault(
        'CHARGE_CONTRADICTS',
        `${id}: ${odd ?? 'its charge'} is not what was booked, or is not due`,
      );
    }
    const refunds = of.said('ledger.refunded', id).length;
    return refunds === (charge.refunded ? 1 : 0)
      ? null
      : fault('CHARGE_CONTRADICTS', `${id}: the trail says ${refunds} times that it was refunded`);
  });
  if (wrong !== null) return wrong;
  const spent = attempts.reduce((sum, { charge }) => sum + paidBySubmitter(charge), 0n);
  return spent <= BigInt(job.hold)
    ? null
    : fault('CHARGE_CONTRADICTS', `${spent} was charged of a hold of ${job.hold}`);
}

const paidBySubmitter = (charge: ProvenAttempt['charge']): bigint =>
  charge?.payer === 'submitter' && !charge.refunded ? BigInt(charge.price) : 0n;

/** Every entry sums to zero, happened once, and moves what hold, charges, refunds and release say, between those they name. */
export function checkLedger(of: Case): ProvenanceFault | null {
  const { bundle } = of;
  const seen = new Map<string, Legs>();
  const wrong = firstFault(bundle.ledger, ({ kind, ref, postings }) => {
    const name = `${kind} ${ref}`;
    if (postings.reduce((sum, { amount }) => sum + BigInt(amount), 0n) !== 0n) {
      return fault('LEDGER_UNBALANCED', `${name} does not sum to zero`);
    }
    if (seen.has(name)) return fault('LEDGER_TWICE', `${name} is booked twice`);
    const legs: Record<string, bigint> = {};
    for (const { account, amount } of postings)
      legs[account] = (legs[account] ?? 0n) + BigInt(amount);
    seen.set(name, legs);
    return entryFault(bundle, kind, ref, legs);
  });
  return wrong ?? missingEntry(bundle, seen);
}

/** What is left of the hold once everything shown is booked: 0 when the job is settled. */
export function heldOf({ job, ledger }: Provenance): bigint {
  const held = `${job.account}:held`;
  return ledger
    .flatMap(({ postings }) => postings)
    .reduce((sum, { account, amount }) => (account === held ? sum + BigInt(amount) : sum), 0n);
}

function entryFault(
  { job, attempts }: Provenance,
  kind: string,
  ref: string,
  legs: Legs,
): ProvenanceFault | null {
  const [available, held] = [`${job.account}:available`, `${job.account}:held`];
  const attempt = attempts.find(({ id }) => id === ref);
  const price = BigInt(attempt?.charge?.price ?? 0);
  const fee = BigInt(attempt?.charge?.fee ?? 0);
  const back = legs[available] ?? 0n;
  const [pending, earned] = [`${attempt?.workerId}:pending`, `${attempt?.workerId}:earned`];
  const bucket = legs[pending] === undefined ? earned : pending;
  const expected: Readonly<Record<string, Legs | undefined>> = {
    hold: ref === job.id ? { [available]: -BigInt(job.hold), [held]: BigInt(job.hold) } : undefined,
    // What nothing more can be charged to goes back with the charge.
    charge:
      attempt?.charge?.payer === 'submitter' && back >= 0n
        ? { [held]: -price - back, [available]: back, [bucket]: price - fee, [FEES]: fee }
        : undefined,
    check: attempt?.charge?.payer === 'fees' ? { [FEES]: -price, [bucket]: price } : undefined,
    refund: attempt?.charge?.refunded === true ? { [FEES]: -price, [held]: price } : undefined,
    release: ref === job.id && back >= 0n ? { [held]: -back, [available]: back } : undefined,
    earn: attempt === undefined ? undefined : { [pending]: fee - price, [earned]: price - fee },
  };
  if (!(kind in expected) || (ref !== job.id && attempt === undefined)) {
    return fault('LEDGER_FOREIGN', `${kind} ${ref} is not about this job`);
  }
  const legal = expected[kind];
  return legal !== undefined && areSame(legs, legal)
    ? null
    : fault('LEDGER_CONTRADICTS', `${kind} ${ref} does not move what it should`);
}

function missingEntry(
  { job, attempts, ledger }: Provenance,
  seen: ReadonlyMap<string, Legs>,
): ProvenanceFault | null {
  if (BigInt(job.hold) > 0n && !seen.has(`hold ${job.id}`)) {
    return fault('LEDGER_MISSING', `the hold of ${job.id} is not booked`);
  }
  const left = heldOf({ job, ledger } as Provenance);
  if (left < 0n) return fault('LEDGER_CONTRADICTS', `${-left} more was taken than was held`);
  const isSettled = left === 0n && job.finishedAt !== null && job.hold !== '0';
  return firstFault(attempts, ({ id, verdict, charge }) => {
    const isPaid = charge !== null && BigInt(charge.price) > 0n;
    const kind = charge?.payer === 'fees' ? 'check' : 'charge';
    if (isPaid && !seen.has(`${kind} ${id}`))
      return fault('LEDGER_MISSING', `the ${kind} of ${id} is not booked`);
    if (charge?.refunded === true && isPaid && !seen.has(`refund ${id}`)) {
      return fault('LEDGER_MISSING', `the refund of ${id} is not booked`);
    }
    // While the hold is open a bill may still come; once it is spent and returned none can.
    const isOwed = verdict?.payer === 'submitter' && charge === null && isSettled;
    return isOwed ? fault('LEDGER_MISSING', `${id} was accepted and never charged`) : null;
  });
}

function areSame(a: Legs, b: Legs): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => (a[name] ?? 0n) === (b[name] ?? 0n));
}
