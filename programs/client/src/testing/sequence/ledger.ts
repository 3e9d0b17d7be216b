import { counted, NO_TOTALS, slashed, sumOf } from '@tidemill/core/settlement';
import type { SettlementTotals, SubmitterLeaf, WorkerLeaf } from '@tidemill/protocol';
import type { Submitter } from './model.js';

/** What the orchestrator would keep: the leaves and totals that the next root says. Charges are counted by core. */
export class SequenceLedger {
  totals: SettlementTotals = NO_TOTALS;
  readonly workers: WorkerLeaf[];
  readonly submitters: SubmitterLeaf[];

  constructor(workers: readonly Uint8Array[], submitters: readonly Uint8Array[]) {
    this.workers = workers.map((payee, index) => ({
      index,
      payee,
      lifetimeEarned: 0n,
      lifetimeSlashed: 0n,
    }));
    this.submitters = submitters.map((submitter, index) => ({
      index,
      submitter,
      lifetimeSpent: 0n,
      lifetimeRefunded: 0n,
      held: 0n,
    }));
  }

  /** A charge, or part of one that is held for a job; nothing when the submitter has not that much. */
  work(
    submitter: number,
    worker: number,
    price: bigint,
    fee: bigint,
    { account }: Submitter,
  ): void {
    const paying = this.submitters[submitter];
    const earning = this.workers[worker];
    if (account === null || paying === undefined || earning === undefined) return;
    const { lifetimeSpent, lifetimeRefunded, held } = paying;
    const own = account.deposited - account.withdrawn + lifetimeRefunded - lifetimeSpent;
    if (own - held - account.requested < price) return;
    const charge = counted({ price, fee, payer: 'submitter', refunded: false });
    this.totals = sumOf([this.totals, charge]);
    this.submitters[submitter] = { ...paying, lifetimeSpent: lifetimeSpent + price };
    const lifetimeEarned = earning.lifetimeEarned + charge.earned;
    this.workers[worker] = { ...earning, lifetimeEarned };
  }

  /** Takes back what a worker earned, and gives some of it to a submitter. */
  slash(worker: number, submitter: number, amount: bigint, given: bigint): void {
    const [from, to] = [this.workers[worker], this.submitters[submitter]];
    if (from === undefined || to === undefined) return;
    this.totals = sumOf([this.totals, slashed(amount, given)]);
    this.workers[worker] = { ...from, lifetimeSlashed: from.lifetimeSlashed + amount };
    this.submitters[submitter] = { ...to, lifetimeRefunded: to.lifetimeRefunded + given };
  }

  /** Holds so much of a submitter for jobs. */
  hold(submitter: number, held: bigint): void {
    const one = this.submitters[submitter];
    if (one !== undefined) this.submitters[submitter] = { ...one, held };
  }
}
