import { Injectable } from '@nestjs/common';
import type { AccountId, BudgetPeriod, KeyId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import {
  BudgetExceededError,
  BudgetsStore,
  type BudgetState,
  type Freed,
  type Spending,
} from './budgets.store.js';

interface Row {
  readonly owner: string;
  readonly period: BudgetPeriod;
  readonly amount: bigint;
  readonly used: bigint;
  readonly asked: bigint;
  readonly renews_at: Date | null;
}

@Injectable()
export class PgBudgetsStore extends BudgetsStore {
  async take(tx: Tx, spendings: readonly Spending[]): Promise<void> {
    const [over] = await tx.query<Row>(TAKE, [
      spendings.map(({ jobId }) => jobId),
      spendings.map(({ accountId }) => accountId),
      spendings.map(({ budgetKey }) => budgetKey),
      spendings.map(({ hold }) => hold),
    ]);
    if (over === undefined) return;
    const before = over.used - over.asked;
    throw new BudgetExceededError({
      of: spendings.some(({ accountId }) => accountId === over.owner) ? 'account' : 'key',
      period: over.period,
      limit: String(over.amount),
      used: String(before),
      left: String(over.amount > before ? over.amount - before : 0n),
      renewsAt: over.renews_at?.toISOString() ?? null,
      asked: String(over.asked),
    });
  }

  async free(tx: Tx, freed: readonly Freed[]): Promise<void> {
    if (freed.length === 0) return;
    await tx.query(FREE, [freed.map(({ jobId }) => jobId), freed.map(({ amount }) => amount)]);
  }

  async of(tx: Tx, owner: AccountId | KeyId): Promise<readonly BudgetState[]> {
    const rows = await tx.query<Row>(OF, [owner]);
    return rows.map(({ period, amount, used, renews_at }) => ({
      period,
      limit: amount,
      used,
      renewsAt: renews_at,
    }));
  }

  async set(
    tx: Tx,
    accountId: AccountId,
    owner: AccountId | KeyId,
    limits: ReadonlyMap<BudgetPeriod, bigint | null>,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO ledger_accounts (owner, bucket) VALUES ($1, 'available') ON CONFLICT DO NOTHING`,
      [accountId],
    );
    // Whoever takes a hold of the account, or gives one back, has this lock: what is counted below does not change meanwhile.
    await tx.query(
      `SELECT FROM ledger_accounts WHERE owner = $1 AND bucket = 'available' FOR UPDATE`,
      [accountId],
    );
    for (const [period, limit] of limits) {
      if (limit === null) await tx.query(END, [accountId, owner, period]);
      else await tx.query(SET, [accountId, owner, period, limit]);
    }
  }

  async ownerOfKey(tx: Tx, accountId: AccountId, id: KeyId): Promise<KeyId | null> {
    const [row] = await tx.query<{ owner: KeyId }>(
      `SELECT coalesce(budget_of, id) AS owner FROM api_keys WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL`,
      [id, accountId],
    );
    return row?.owner ?? null;
  }
}

/** When the period after the one that began then begins. */
const RENEWS_AT = `CASE WHEN period <> 'total' THEN (period_from AT TIME ZONE 'UTC' + ('1 ' || period)::interval) AT TIME ZONE 'UTC' END`;

/**
 * A transaction that began before midnight may come here after one that began later: it counts in the period that it finds. Locks
 * come in one order. Gives the budgets that are exceeded.
 */
const TAKE = `
WITH wanted AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS wanted (job_id, account_id, key_id, hold)
), locked AS (
  SELECT owner, period FROM budgets WHERE owner = ANY ($2) OR owner = ANY ($3) ORDER BY owner, period FOR UPDATE
), asked AS (
  SELECT locked.owner, locked.period, sum(hold)::bigint AS asked, budget_period_start(locked.period, now()) AS start
  FROM locked JOIN wanted ON locked.owner IN (wanted.account_id, wanted.key_id) GROUP BY locked.owner, locked.period
), taken AS (
  UPDATE budgets SET used = asked.asked + CASE WHEN asked.start > budgets.period_from THEN 0 ELSE budgets.used END,
    period_from = greatest(asked.start, budgets.period_from)
  FROM asked WHERE budgets.owner = asked.owner AND budgets.period = asked.period
  RETURNING budgets.owner, budgets.period, budgets.amount, budgets.used, budgets.period_from, asked.asked
), noted AS (
  INSERT INTO budget_uses (job_id, owner, period, period_from)
  SELECT wanted.job_id, taken.owner, taken.period, taken.period_from
  FROM taken JOIN wanted ON taken.owner IN (wanted.account_id, wanted.key_id)
)
SELECT owner, period, amount, used, asked, ${RENEWS_AT} AS renews_at FROM taken
WHERE used > amount AND asked > 0 ORDER BY owner, period LIMIT 1`;

const FREE = `
WITH freed AS (
  SELECT * FROM unnest($1::text[], $2::bigint[]) AS freed (job_id, amount)
), given AS (
  DELETE FROM budget_uses USING freed WHERE budget_uses.job_id = freed.job_id
  RETURNING budget_uses.owner, budget_uses.period, budget_uses.period_from, freed.amount
), back AS (
  SELECT owner, period, period_from, sum(amount)::bigint AS amount FROM given GROUP BY owner, period, period_from
), locked AS (
  SELECT budgets.owner, budgets.period FROM budgets JOIN back USING (owner, period, period_from)
  ORDER BY owner, period FOR UPDATE OF budgets
)
UPDATE budgets SET used = budgets.used - back.amount FROM back JOIN locked USING (owner, period)
WHERE budgets.owner = back.owner AND budgets.period = back.period AND budgets.period_from = back.period_from`;

/** A period that is over, but in which nothing was submitted since, counts as renewed. */
const OF = `
SELECT period, amount, used, ${RENEWS_AT} AS renews_at FROM (
  SELECT period, amount, CASE WHEN start > period_from THEN 0 ELSE used END AS used, greatest(start, period_from) AS period_from
  FROM (SELECT *, budget_period_start(period, now()) AS start FROM budgets WHERE owner = $1) AS budget
) AS present`;

const END = `
WITH forgotten AS (DELETE FROM budget_uses WHERE owner = $2 AND period = $3)
DELETE FROM budgets WHERE account_id = $1 AND owner = $2 AND period = $3`;

/** A job of which nothing more will be charged counts with what it cost, and every other with its hold. */
const SET = `
WITH changed AS (
  UPDATE budgets SET amount = $4 WHERE owner = $2 AND period = $3 RETURNING 1
), counted AS (
  SELECT job.id, job.hold, cost.amount AS cost,
    job.state NOT IN ('queued', 'running') AND NOT EXISTS (SELECT FROM tasks WHERE tasks.job_id = job.id AND tasks.state = 'verifying')
    AND (cost.amount = job.hold OR cost.is_all OR EXISTS (SELECT FROM ledger_entries WHERE ref = job.id AND kind = 'release')) AS is_settled
  FROM jobs AS job
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(price), 0)::bigint AS amount, job.tasks_total = 1 AND job.verify = '{"method":"none"}' AND count(*) > 0 AS is_all
    FROM charges WHERE charges.job_id = job.id AND payer = 'submitter' AND NOT refunded
  ) AS cost
  WHERE $3 <> 'total' AND NOT EXISTS (SELECT FROM changed)
    AND job.account_id = $1 AND (job.account_id = $2 OR job.key_id = $2) AND job.created_at >= budget_period_start($3, now())
), noted AS (
  INSERT INTO budget_uses (job_id, owner, period, period_from)
  SELECT id, $2, $3, budget_period_start($3, now()) FROM counted WHERE NOT is_settled
)
INSERT INTO budgets (owner, period, account_id, amount, used, period_from)
SELECT $2, $3, $1, $4::bigint, coalesce((SELECT sum(CASE WHEN is_settled THEN cost ELSE hold END) FROM counted), 0)::bigint,
  budget_period_start($3, now())
WHERE NOT EXISTS (SELECT FROM changed)
ON CONFLICT (owner, period) DO UPDATE SET amount = excluded.amount`;
