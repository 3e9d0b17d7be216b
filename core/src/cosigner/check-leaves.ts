import type { RootStatement } from '@tidemill/protocol';
import { counted, type SettledCharge } from '../settlement/totals.js';
import type { ChainEvidence, ChargeRow, EpochEvidence, Judgement } from './evidence.js';
import type { CosignerMemory, SubmitterRow, TrailKnowledge, WorkerRow } from './knowledge.js';
import { firstObjection, objection, type Objection } from './objection.js';
import { isDue } from './trail-reading.js';

/** Every worker that was there has its place and its worker, earned what it was charged for, and is paid where it wants to be. */
export function checkWorkers(
  { workers, charges, statement }: EpochEvidence,
  memory: CosignerMemory,
  trail: TrailKnowledge,
  chain: ChainEvidence,
): Objection | null {
  if (workers.length < memory.workers.length)
    return objection('LEAF_MISSING', `worker ${workers.length} had a leaf and has none`);
  const earned = sumsBy(charges, ({ index }) => index, 'earned');
  const names = new Set<string>();
  const lost = charges.find(({ index, worker }) => workers[index]?.worker !== worker);
  if (lost !== undefined)
    return objection('LEAF_MISSING', `${lost.worker} has no leaf at ${lost.index}`);
  let place = -1;
  return firstObjection(workers, (leaf) => {
    place += 1;
    const before = memory.workers[place];
    const isItsOwn = before === undefined || before.worker === leaf.worker;
    if (leaf.index !== place || !isItsOwn || names.has(leaf.worker))
      return contradicts(`worker ${place}`, 'its index or its worker is not its own');
    names.add(leaf.worker);
    const due = (before?.lifetimeEarned ?? 0n) + (earned.get(place) ?? 0n);
    if (leaf.lifetimeEarned !== due)
      return contradicts(`worker ${place}`, `${leaf.lifetimeEarned} earned, it is ${due}`);
    if (leaf.lifetimeSlashed !== (before?.lifetimeSlashed ?? 0n))
      return contradicts(`worker ${place}`, 'it was slashed, and nothing says why');
    return payeeFault(leaf, trail) ?? (isPast(statement, chain) ? null : paidFault(leaf, chain));
  });
}

function payeeFault({ index, worker, payee }: WorkerRow, trail: TrailKnowledge): Objection | null {
  const known = trail.workers.get(worker);
  if (known === undefined) return objection('PAYEE', `worker ${index}: ${worker} never joined`);
  const { payout, ordered } = known;
  const isOrdered = ordered?.payout === payee && isDue(ordered, trail.atMs);
  return payee === payout || isOrdered
    ? null
    : objection('PAYEE', `worker ${index} is paid at ${payee}, its owner ordered ${payout}`);
}

function paidFault(leaf: WorkerRow, chain: ChainEvidence): Objection | null {
  const paid = chain.paidOf(leaf.index);
  // A slash of what was paid leaves a debt: what was earned is never less than what was paid.
  return paid <= leaf.lifetimeEarned
    ? null
    : objection(
        'PAID',
        `worker ${leaf.index} was paid ${paid}, its leaf says ${leaf.lifetimeEarned}`,
      );
}

/** Every submitter with a deposit has its place, spent what it was charged, and has enough for what is open. */
export function checkSubmitters(
  { evidence, memory, chain, refundedSince }: Judgement,
  trail: TrailKnowledge,
  wallets: ReadonlyMap<string, string>,
): Objection | null {
  const { submitters, charges, statement } = evidence;
  if (submitters.length < memory.submitters.length)
    return objection('LEAF_MISSING', `submitter ${submitters.length} had a leaf and has none`);
  const places = new Map(submitters.map(({ submitter }, place) => [submitter, place]));
  for (const [wallet, { openedSlot }] of chain.submitters)
    if (openedSlot <= statement.sealedSlot && !places.has(wallet))
      return objection('LEAF_MISSING', `${wallet} has deposited and has no leaf`);
  const spent = sumsBy(charges, ({ submitter }) => submitter ?? '', 'spent');
  const poor = [...spent].find(([wallet, units]) => units > 0n && !places.has(wallet));
  if (poor !== undefined) return objection('LEAF_MISSING', `${poor[0]} has spent and has no leaf`);
  const open = openBy(charges, trail, wallets, refundedSince);
  let place = -1;
  return firstObjection(submitters, (leaf) => {
    place += 1;
    const before = memory.submitters[place];
    const isItsOwn = before === undefined || before.submitter === leaf.submitter;
    if (leaf.index !== place || !isItsOwn || places.get(leaf.submitter) !== place)
      return contradicts(`submitter ${place}`, 'its index or its wallet is not its own');
    const due = (before?.lifetimeSpent ?? 0n) + (spent.get(leaf.submitter) ?? 0n);
    if (leaf.lifetimeSpent !== due)
      return contradicts(`submitter ${place}`, `${leaf.lifetimeSpent} spent, it is ${due}`);
    if (leaf.lifetimeRefunded !== (before?.lifetimeRefunded ?? 0n))
      return contradicts(`submitter ${place}`, 'it was refunded, and nothing was slashed');
    return isPast(statement, chain) ? null : heldFault(leaf, open.get(leaf.submitter) ?? 0n, chain);
  });
}

/** What is held covers what was charged and is not in an epoch yet, and is not more than there is. */
function heldFault(leaf: SubmitterRow, open: bigint, chain: ChainEvidence): Objection | null {
  const { submitter, lifetimeSpent, lifetimeRefunded, held } = leaf;
  const account = chain.submitters.get(submitter);
  const left =
    (account?.deposited ?? 0n) - (account?.withdrawn ?? 0n) - lifetimeSpent + lifetimeRefunded;
  if (left < held)
    return objection('HELD', `${submitter} has ${left} on chain, and ${held} is said to be held`);
  return held >= open
    ? null
    : objection('HELD', `${submitter} has ${open} charged and not settled, ${held} is held`);
}

/** Charges of submitters that the trail has booked and that are in no epoch, this one included. */
function openBy(
  charges: readonly ChargeRow[],
  { booked, jobs }: TrailKnowledge,
  wallets: ReadonlyMap<string, string>,
  refundedSince: ReadonlySet<string>,
): Map<string, bigint> {
  const now = new Set(charges.map(({ attempt }) => attempt));
  const open = new Map<string, bigint>();
  for (const [attempt, { job, price, payer, refunded }] of booked) {
    if (now.has(attempt) || payer === 'fees' || refunded || refundedSince.has(attempt)) continue;
    const wallet = wallets.get(jobs.get(job)?.account ?? '');
    if (wallet !== undefined) open.set(wallet, (open.get(wallet) ?? 0n) + price);
  }
  return open;
}

function sumsBy<Key>(
  charges: readonly ChargeRow[],
  keyOf: (charge: ChargeRow) => Key,
  name: 'earned' | 'spent',
): Map<Key, bigint> {
  const sums = new Map<Key, bigint>();
  for (const charge of charges) {
    const key = keyOf(charge);
    sums.set(key, (sums.get(key) ?? 0n) + counted(charge satisfies SettledCharge)[name]);
  }
  return sums;
}

/** The chain has gone on since an epoch that others have signed: what it says now is not what it said then. */
const isPast = ({ epoch }: RootStatement, chain: ChainEvidence): boolean =>
  epoch <= chain.lastEpoch;

const contradicts = (whose: string, why: string) =>
  objection('LEAF_CONTRADICTS', `${whose}: ${why}`);
