import { Injectable } from '@nestjs/common';
import { charge, check, feeOf, priceOf, refund, release, type Entry } from '@tidemill/core/ledger';
import { BudgetsStore } from '../accounts/budgets.store.js';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import { Config } from '../config/env.js';
import { Db } from '../platform/db/db.js';
import { StageCursors } from '../platform/db/stage-cursors.js';
import { faultPoint } from '../platform/fault-points.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { BillingStore, type Charge, type Due, type Refund } from './billing.store.js';

const STAGE = 'ledger';
const MAX_PER_TURN = 2_000;

/** Turns verdicts into money: what was accepted is charged, and what a job did not use goes back. */
@Injectable()
export class LedgerService {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly cursors: StageCursors,
    private readonly billing: BillingStore,
    private readonly book: LedgerBook,
    private readonly budgets: BudgetsStore,
    private readonly trail: TrailWriter,
    private readonly wakeups: Wakeups,
    private readonly telemetry: Telemetry,
  ) {}

  /** One turn over the verdicts and job ends that have settled; true when there are more. */
  async turn(): Promise<boolean> {
    const { booked, more } = await this.db.transaction(async (tx) => {
      const window = await this.cursors.open(tx, STAGE);
      const { rows, to, more } = await this.billing.due(tx, window, MAX_PER_TURN);
      const payable = rows.filter(({ payer }) => payer !== 'nobody');
      const charges = payable.map((due) => this.chargeOf(due));
      await this.billing.addCharges(tx, charges, this.config.release === 'immediate');
      const refunds = await this.billing.refund(tx, { from: window.from, to });
      const only = payable.filter(({ is_only }) => is_only);
      const leftovers = await this.billing.leftovers(
        tx,
        { from: window.from, to },
        [
          ...new Set(
            [...rows.filter(({ is_only }) => !is_only), ...refunds].map(({ job_id }) => job_id),
          ),
        ],
        only.map(({ job_id }) => job_id),
      );
      if (this.config.settlement !== null && leftovers.length > 0)
        await this.billing.settle(tx, [...new Set(leftovers.map(({ job_id }) => job_id))]);

      const entries = [
        ...payable.map((due, i) => this.entryOf(due, charges[i])),
        ...refunds.map(({ attempt_id, account_id, price }) =>
          refund(attempt_id, account_id, price),
        ),
        ...leftovers.map(({ job_id, account_id, amount }) => release(job_id, account_id, amount)),
      ];
      await this.cursors.close(tx, STAGE, to);
      if (entries.length > 0) {
        await this.trail.append(tx, [...charges.map(bookedEvent), ...refunds.map(refundedEvent)]);
        await this.wakeups.notify(tx, 'job');
        // Last, since it locks the balances of submitters, who want to submit meanwhile.
        for (const { kind } of await this.book.book(tx, entries))
          this.telemetry.ledgerEntries.inc({ kind });
        await this.budgets.free(tx, [
          ...leftovers.map(({ job_id, amount }) => ({ jobId: job_id, amount })),
          ...payable.flatMap(({ is_only, job_id, hold }, i) =>
            is_only ? [{ jobId: job_id, amount: hold - (charges[i]?.price ?? 0n) }] : [],
          ),
        ]);
        faultPoint('ledger.booking.before-commit');
      }
      return { booked: entries.length, more };
    });
    if (booked > 0) faultPoint('ledger.booking.after-commit');
    return more;
  }

  private chargeOf(due: Due): Charge {
    const price = priceOf(
      { gpuMilli: due.gpu_milli, cpuMilli: due.cpu_milli },
      { gpuHour: due.gpu_ask, cpuHour: due.cpu_ask },
      Number(due.billable_ms),
      due.task_cap,
    );
    const payer = due.payer === 'submitter' ? 'submitter' : 'fees';
    const fee = payer === 'submitter' ? feeOf(price, this.config.feeBps) : 0n;
    return {
      attemptId: due.attempt_id,
      jobId: due.job_id,
      workerId: due.worker_id,
      price,
      fee,
      payer,
      settled: this.config.settlement !== null && (payer === 'fees' || due.is_only),
    };
  }

  private entryOf(due: Due, made: Charge | undefined): Entry {
    const price = made?.price ?? 0n;
    const bucket = this.config.release === 'immediate' ? 'earned' : 'pending';
    if (due.payer !== 'submitter') return check(due.attempt_id, due.worker_id, price, bucket);
    const left = due.is_only ? due.hold - price : 0n;
    const { feeBps } = this.config;
    return charge(due.attempt_id, due.account_id, due.worker_id, price, feeBps, bucket, left);
  }
}

function refundedEvent({ attempt_id, job_id, price }: Refund) {
  return {
    kind: 'ledger.refunded',
    subject: attempt_id,
    body: JSON.stringify({ attempt: attempt_id, job: job_id, price: String(price) }),
  };
}

function bookedEvent({ attemptId, jobId, workerId, price, fee, payer }: Charge) {
  return {
    kind: 'ledger.booked',
    subject: attemptId,
    body: JSON.stringify({
      attempt: attemptId,
      job: jobId,
      worker: workerId,
      price: String(price),
      fee: String(fee),
      payer,
    }),
  };
}
