import { assert } from '../assert.js';
import { feeOf } from './price.js';

/** What an owner's money is. Grants are the contra entry of credit given without a chain, the vault that of what lies on chain. */
export type Bucket =
  'available' | 'held' | 'withdrawing' | 'pending' | 'earned' | 'fees' | 'grants' | 'vault';

/** One leg of an entry: an owner's bucket goes up or down by so many base units. */
export interface Posting {
  readonly owner: string;
  readonly bucket: Bucket;
  readonly amount: bigint;
}

/** A ledger entry. `kind` and `ref` together happen once, so booking twice is booking once (G9). */
export interface Entry {
  readonly kind:
    | 'grant'
    | 'hold'
    | 'charge'
    | 'check'
    | 'refund'
    | 'release'
    | 'earn'
    | 'deposit'
    | 'withdrawal-requested'
    | 'withdrawn'
    | 'claimed'
    | 'fees-withdrawn';
  readonly ref: string;
  readonly postings: readonly Posting[];
}

/** The owner of the network's own buckets. */
export const NETWORK = 'network';

/** The operator gives credit: the submitter can spend it, and the (negative) grants bucket shows what was given. */
export function grant(ref: string, submitter: string, amount: bigint): Entry {
  return entry('grant', ref, amount, [
    { owner: submitter, bucket: 'available', amount },
    { owner: submitter, bucket: 'grants', amount: -amount },
  ]);
}

/** A job's hold leaves what the submitter can spend. */
export function hold(jobId: string, submitter: string, amount: bigint): Entry {
  return entry('hold', jobId, amount, [
    { owner: submitter, bucket: 'available', amount: -amount },
    { owner: submitter, bucket: 'held', amount },
  ]);
}

/** Where a worker's part goes: it waits until it can no longer be withheld, unless the network releases at once. */
export type EarningBucket = Extract<Bucket, 'pending' | 'earned'>;

/**
 * An accepted result is paid out of the job's hold: the fee to the network, the rest to the worker. What the hold has `left`
 * goes back with it where nothing more will be charged to the job, which saves such jobs the entry of a release.
 */
export function charge(
  attemptId: string,
  submitter: string,
  worker: string,
  price: bigint,
  feeBps: number,
  bucket: EarningBucket,
  left = 0n,
): Entry {
  assert(left >= 0n, `charge ${attemptId} with ${left} left: a hold is never overdrawn`);
  const fee = feeOf(price, feeBps);
  return entry('charge', attemptId, price, [
    { owner: submitter, bucket: 'held', amount: -price - left },
    { owner: submitter, bucket: 'available', amount: left },
    { owner: worker, bucket, amount: price - fee },
    { owner: NETWORK, bucket: 'fees', amount: fee },
  ]);
}

/** An audit, a referee or honest work in a void segment is paid out of the fees. */
export function check(
  attemptId: string,
  worker: string,
  price: bigint,
  bucket: EarningBucket,
): Entry {
  return entry('check', attemptId, price, [
    { owner: NETWORK, bucket: 'fees', amount: -price },
    { owner: worker, bucket, amount: price },
  ]);
}

/** A result that was charged turned out to be void: its price goes back to the job's hold, and the network bears it. */
export function refund(attemptId: string, submitter: string, price: bigint): Entry {
  return entry('refund', attemptId, price, [
    { owner: NETWORK, bucket: 'fees', amount: -price },
    { owner: submitter, bucket: 'held', amount: price },
  ]);
}

/** A reward is released. */
export function earn(attemptId: string, worker: string, amount: bigint): Entry {
  return entry('earn', attemptId, amount, [
    { owner: worker, bucket: 'pending', amount: -amount },
    { owner: worker, bucket: 'earned', amount },
  ]);
}

/** What a finished job did not use goes back. */
export function release(jobId: string, submitter: string, amount: bigint): Entry {
  return entry('release', jobId, amount, [
    { owner: submitter, bucket: 'held', amount: -amount },
    { owner: submitter, bucket: 'available', amount },
  ]);
}

/** The owner of the vault's bucket: the negative of what the settlement program holds. */
export const CHAIN = 'chain';

/** Tokens came into the vault in a submitter's name. `ref` is where on chain, so that each is booked once. */
export function deposit(ref: string, submitter: string, amount: bigint): Entry {
  return entry('deposit', ref, amount, [
    { owner: CHAIN, bucket: 'vault', amount: -amount },
    { owner: submitter, bucket: 'available', amount },
  ]);
}

/**
 * What a submitter has asked back on chain can no longer be spent. A later request replaces an earlier one, so less than before may
 * be set aside: then `more` is negative.
 */
export function setAside(ref: string, submitter: string, more: bigint): Entry {
  return entry('withdrawal-requested', ref, more < 0n ? -more : more, [
    { owner: submitter, bucket: 'available', amount: -more },
    { owner: submitter, bucket: 'withdrawing', amount: more },
  ]);
}

/** A withdrawal was paid out of what was `aside`; the request is over, so the rest of that can be spent again. */
export function withdrawn(ref: string, submitter: string, amount: bigint, aside: bigint): Entry {
  return entry('withdrawn', ref, amount, [
    { owner: submitter, bucket: 'withdrawing', amount: -aside },
    { owner: submitter, bucket: 'available', amount: aside - amount },
    { owner: CHAIN, bucket: 'vault', amount },
  ]);
}

/** A worker was paid on chain. */
export function claimed(ref: string, worker: string, amount: bigint): Entry {
  return entry('claimed', ref, amount, [
    { owner: worker, bucket: 'earned', amount: -amount },
    { owner: CHAIN, bucket: 'vault', amount },
  ]);
}

/** The network took fees out of the vault. */
export function feesWithdrawn(ref: string, amount: bigint): Entry {
  return entry('fees-withdrawn', ref, amount, [
    { owner: NETWORK, bucket: 'fees', amount: -amount },
    { owner: CHAIN, bucket: 'vault', amount },
  ]);
}

function entry(
  kind: Entry['kind'],
  ref: string,
  amount: bigint,
  postings: readonly Posting[],
): Entry {
  assert(amount >= 0n, `${kind} ${ref} of ${amount}: money moves one way only`);
  assert(
    postings.reduce((sum, { amount }) => sum + amount, 0n) === 0n,
    `${kind} ${ref} does not sum to zero`,
  );
  return { kind, ref, postings: postings.filter(({ amount }) => amount !== 0n) };
}
