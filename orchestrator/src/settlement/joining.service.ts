import { Injectable } from '@nestjs/common';
import { counted, sumOf, type SettledCharge } from '@tidemill/core/settlement';
import type { AccountId, AttemptId, SettlementTotals, WorkerId } from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Db, type Tx } from '../platform/db/db.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { booksOf } from './chain-books.js';
import { totalsOf } from './epoch-rows.js';
import { lockOpenEpoch } from './open-epoch.js';

const MAX_PER_TURN = 5_000;
/** Workers that get their index in one turn. */
const MAX_INDEXED = 1_000;

interface Waiting extends SettledCharge {
  readonly attempt_id: AttemptId;
  readonly worker_id: WorkerId;
  readonly account_id: AccountId;
}

/** Moves charges that can no longer change into the open epoch, and the lifetime totals with them. */
@Injectable()
export class JoiningService {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly trail: TrailWriter,
  ) {}

  /** One turn; true when there are more. Each charge joins once, whoever else turns meanwhile (G9). */
  turn(): Promise<boolean> {
    const { settlement } = this.config;
    if (settlement === null) return Promise.resolve(false);
    return this.db.transaction(async (tx) => {
      const epoch = await lockOpenEpoch(tx);
      const qualified = await tx.query<{ worker_id: WorkerId }>(QUALIFIED, [
        settlement.payoutFloor,
        MAX_INDEXED,
      ]);
      const fresh = qualified.map(({ worker_id }) => worker_id);
      const paid = await tx.query<Waiting>(PAID, [MAX_PER_TURN, fresh]);
      const given = await tx.query<Waiting>(GIVEN, [MAX_PER_TURN, fresh]);
      const { feesWithdrawn } = await booksOf(tx);
      const before = sumOf([totalsOf(epoch), ...paid.map(counted)]);
      const covered = coveredBy(before.fees - before.feesGiven - feesWithdrawn, given);
      const joining = [...paid, ...covered];
      if (joining.length === 0) return false;
      await this.giveIndexes(tx, joining);
      await this.join(tx, epoch.number, joining);
      return paid.length === MAX_PER_TURN || covered.length === MAX_PER_TURN;
    });
  }

  /** Workers of which a charge joins for the first time get their place on chain, for good: there is no leaf without a charge. */
  private async giveIndexes(tx: Tx, joining: readonly Waiting[]): Promise<void> {
    const workers = [...new Set(joining.map(({ worker_id }) => worker_id))];
    const indexed = await tx.query<{ index: number; worker_id: WorkerId }>(INDEX, [workers]);
    await this.trail.append(
      tx,
      indexed.map(({ index, worker_id }) => ({
        kind: 'settlement.indexed',
        subject: worker_id,
        body: { worker: worker_id, index },
      })),
    );
  }

  private async join(tx: Tx, epoch: bigint, joining: readonly Waiting[]): Promise<void> {
    const earned = new Map<WorkerId, bigint>();
    const spent = new Map<AccountId, bigint>();
    const all: SettlementTotals[] = [];
    for (const charge of joining) {
      const counts = counted(charge);
      all.push(counts);
      earned.set(charge.worker_id, (earned.get(charge.worker_id) ?? 0n) + counts.earned);
      spent.set(charge.account_id, (spent.get(charge.account_id) ?? 0n) + counts.spent);
    }
    const total = sumOf(all);
    await tx.query(JOIN, [epoch, joining.map(({ attempt_id }) => attempt_id)]);
    await tx.query(EARN, [[...earned.keys()], [...earned.values()]]);
    await tx.query(SPEND, [[...spent.keys()], [...spent.values()]]);
    await tx.query(ADD, [
      epoch,
      total.spent,
      total.earned,
      total.fees,
      total.feesGiven,
      joining.length,
    ]);
  }
}

/** Those at the front that the network's fees can pay: what is beyond waits until more has come in. */
function coveredBy(left: bigint, given: readonly Waiting[]): readonly Waiting[] {
  let rest = left;
  const end = given.findIndex((charge) => {
    rest -= counted(charge).feesGiven;
    return rest < 0n;
  });
  return end === -1 ? given : given.slice(0, end);
}

/**
 * Of workers that have an index or qualify for one, and of submitters that have one, which all have who ever deposited. A charge that
 * its job's booking has locked at this moment waits for the next turn.
 */
const WAITING = `
SELECT charge.attempt_id, charge.worker_id, job.account_id, charge.price, charge.fee, charge.payer, charge.refunded
FROM charges AS charge
JOIN jobs AS job ON job.id = charge.job_id
JOIN settlement_submitters AS submitter ON submitter.account_id = job.account_id
WHERE charge.settled AND charge.released AND charge.epoch IS NULL
  AND (charge.worker_id = ANY ($2::text[]) OR EXISTS (SELECT FROM settlement_workers AS known WHERE known.worker_id = charge.worker_id))`;

const PAID = `${WAITING} AND charge.payer = 'submitter' AND NOT charge.refunded
ORDER BY charge.worker_id, charge.attempt_id LIMIT $1 FOR UPDATE OF charge SKIP LOCKED`;
/** In the order in which they came up, so that none waits for ever. */
const GIVEN = `${WAITING} AND (charge.payer = 'fees' OR charge.refunded)
ORDER BY charge.attempt_id LIMIT $1 FOR UPDATE OF charge SKIP LOCKED`;

/** Workers without an index that have earned enough: a place on chain costs rent, and a stranger could register a million keys. */
const QUALIFIED = `
SELECT worker_id FROM charges
WHERE settled AND released AND epoch IS NULL
  AND NOT EXISTS (SELECT FROM settlement_workers AS known WHERE known.worker_id = charges.worker_id)
GROUP BY worker_id HAVING sum(price - fee) >= $1 ORDER BY min(attempt_id) LIMIT $2`;

/** Under the lock of the open epoch, so that no index is given twice or left out. */
const INDEX = `
INSERT INTO settlement_workers (index, worker_id)
SELECT (SELECT coalesce(max(index) + 1, 0) FROM settlement_workers) + row_number() OVER (ORDER BY place) - 1, worker_id
FROM unnest($1::text[]) WITH ORDINALITY AS joining (worker_id, place)
WHERE NOT EXISTS (SELECT FROM settlement_workers AS known WHERE known.worker_id = joining.worker_id)
RETURNING index, worker_id`;

const JOIN = 'UPDATE charges SET epoch = $1 WHERE attempt_id = ANY ($2::text[])';

const EARN = `
UPDATE settlement_workers AS worker SET earned = worker.earned + change.amount
FROM unnest($1::text[], $2::bigint[]) AS change (worker_id, amount) WHERE worker.worker_id = change.worker_id AND change.amount > 0`;

const SPEND = `
UPDATE settlement_submitters AS submitter SET spent = submitter.spent + change.amount
FROM unnest($1::text[], $2::bigint[]) AS change (account_id, amount)
WHERE submitter.account_id = change.account_id AND change.amount > 0`;

const ADD = `
UPDATE epochs SET spent = spent + $2, earned = earned + $3, fees = fees + $4, fees_given = fees_given + $5, charges = charges + $6,
  joined_before = pg_snapshot_xmax(pg_current_snapshot())
WHERE number = $1`;
