import { Injectable } from '@nestjs/common';
import type { OpenWorker } from '@tidemill/core/scheduler';
import type { AttemptId, EarningsPeriod, MarketView, WorkerId } from '@tidemill/protocol';
import { workersOnline } from '../jobs/worker-rows.js';
import type { Tx } from '../platform/db/db.js';
import { MarketStore, type Earned, type EarnedInEpoch } from './market.store.js';

@Injectable()
export class PgMarketStore extends MarketStore {
  async isWorker(tx: Tx, id: WorkerId): Promise<boolean> {
    return (await tx.query('SELECT 1 FROM workers WHERE id = $1', [id])).length > 0;
  }

  earnings(
    tx: Tx,
    id: WorkerId,
    by: EarningsPeriod,
    from: Date | null,
    to: Date | null,
    limit: number,
  ): Promise<readonly Earned[]> {
    return tx.query<Earned>(EARNINGS, [id, by, from, to, limit]);
  }

  epochs(tx: Tx, id: WorkerId, limit: number): Promise<readonly EarnedInEpoch[]> {
    return tx.query<EarnedInEpoch>(EPOCHS, [id, limit]);
  }

  workersOnline(tx: Tx): Promise<readonly OpenWorker[]> {
    return workersOnline(tx);
  }

  demand(tx: Tx, since: AttemptId): Promise<MarketView['demand']> {
    return tx.query<MarketView['demand'][number]>(DEMAND, [since]);
  }
}

/** An entry that only moves a reward from one bucket to the next is not booked again. */
const EARNINGS = `
SELECT date_trunc($2, entry.at, 'UTC') AS "from", count(*)::int AS results, sum(posting.amount)::bigint AS amount
FROM ledger_accounts AS account JOIN ledger_postings AS posting ON posting.account_id = account.id
JOIN ledger_entries AS entry ON entry.id = posting.entry_id
WHERE account.owner = $1 AND account.bucket IN ('pending', 'earned') AND entry.kind IN ('charge', 'check')
  AND ($3::timestamptz IS NULL OR entry.at >= $3) AND ($4::timestamptz IS NULL OR entry.at < $4)
GROUP BY 1 ORDER BY 1 LIMIT $5`;

/** Leaves are lifetime totals: what an epoch added is what its leaf has more than the one before. */
const EPOCHS = `
SELECT epoch.number AS epoch, epoch.state, epoch.sealed_at, leaf.earned - leaf.earned_before AS amount, leaf.slashed - leaf.slashed_before AS slashed
FROM (
  SELECT epoch, earned, slashed, lag(earned, 1, 0::bigint) OVER kept AS earned_before, lag(slashed, 1, 0::bigint) OVER kept AS slashed_before
  FROM worker_leaves WHERE index = (SELECT index FROM settlement_workers WHERE worker_id = $1) WINDOW kept AS (ORDER BY epoch)
) AS leaf JOIN epochs AS epoch ON epoch.number = leaf.epoch
WHERE (leaf.earned, leaf.slashed) <> (leaf.earned_before, leaf.slashed_before) ORDER BY epoch.number DESC LIMIT $2`;

const DEMAND = `
SELECT job.needs::jsonb ->> 'runtime' AS runtime, sum(asked.waiting)::int AS waiting, sum(asked.begun)::int AS "lastHour"
FROM (
  SELECT job_id, count(*) AS waiting, 0 AS begun FROM tasks WHERE waiting GROUP BY job_id
  UNION ALL SELECT job_id, 0, count(*) FROM attempts WHERE id >= $1 GROUP BY job_id
) AS asked JOIN jobs AS job ON job.id = asked.job_id
GROUP BY 1 ORDER BY 1`;
