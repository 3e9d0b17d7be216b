import { Injectable } from '@nestjs/common';
import { copiesOf } from '@tidemill/core/job';
import { priceOf } from '@tidemill/core/ledger';
import type { OpenWorker } from '@tidemill/core/scheduler';
import type { AccountId, DecisionId, JobSpec, PlanView } from '@tidemill/protocol';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import type { JobDraft } from '../jobs/draft.js';
import { Drafter } from '../jobs/drafter.js';
import { Market } from '../jobs/market.js';
import { Db } from '../platform/db/db.js';
import { Absences } from '../platform/http/absences.js';
import { ExpectedStarts } from './expected-starts.js';

/** Says what would happen to a job, without submitting it. */
@Injectable()
export class PlanService {
  constructor(
    private readonly drafter: Drafter,
    private readonly market: Market,
    private readonly starts: ExpectedStarts,
    private readonly book: LedgerBook,
    private readonly db: Db,
    private readonly absences: Absences,
  ) {}

  async plan(accountId: AccountId, spec: JobSpec): Promise<PlanView> {
    const draft = await this.drafter.draft(spec, accountId);
    const { suitable, removedBy, considered } = await this.market.suitableFor(
      draft.needs,
      draft.maxGpuAsk,
      draft.maxCpuAsk,
    );
    const { available } = await this.book.balances(accountId);
    return {
      consideredWorkers: considered,
      feasibleWorkers: suitable.length,
      removedBy: [...removedBy],
      tasks: draft.tasks.length * copiesOf(draft.verify),
      hold: String(draft.hold),
      price: priceRange(draft, suitable),
      expectedStart: await this.starts.of({ ...draft, behind: null }),
      balance: {
        available: String(available),
        missing: String(draft.hold > available ? draft.hold - available : 0n),
      },
    };
  }

  /** The record of a decision and its place in the trail; a decision bears the number of its attempt. */
  async decision(accountId: AccountId, id: DecisionId) {
    const [row] = await this.db.query<{ at_ms: bigint; body: string; place: bigint | null }>(
      DECISION,
      [id.replace(/^dec_/, 'att_'), accountId],
    );
    if (row === undefined)
      throw this.absences.of(id, `There is no decision ${id} about a job of yours.`);
    return {
      id,
      at: new Date(Number(row.at_ms)).toISOString(),
      place: row.place === null ? null : Number(row.place),
      record: JSON.parse(row.body) as Record<string, unknown>,
    };
  }
}

/** What it would cost at the cheapest and the dearest suitable worker if it ran to its limit; the hold caps both. */
function priceRange(draft: JobDraft, suitable: readonly OpenWorker[]): PlanView['price'] {
  const executions = BigInt(draft.tasks.length * copiesOf(draft.verify));
  const prices = suitable.map(({ gpuAsk, cpuAsk }) =>
    priceOf(
      draft.needs.resources,
      { gpuHour: gpuAsk, cpuHour: cpuAsk },
      draft.maxDurationMs,
      draft.taskCap,
    ),
  );
  const [first] = prices;
  if (first === undefined) return null;
  const low = prices.reduce((a, b) => (b < a ? b : a), first);
  const high = prices.reduce((a, b) => (b > a ? b : a), first);
  return { low: String(low * executions), high: String(high * executions) };
}

const DECISION = `
SELECT event.at_ms, event.body, chain.place
FROM trail_events AS event
JOIN attempts AS attempt ON attempt.id = event.subject
JOIN jobs AS job ON job.id = attempt.job_id
LEFT JOIN trail_chain AS chain ON chain.event_id = event.id
WHERE event.kind = 'task.placed' AND event.subject = $1 AND job.account_id = $2`;
