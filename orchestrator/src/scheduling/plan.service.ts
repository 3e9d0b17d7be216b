import { Injectable } from '@nestjs/common';
import { copiesOf } from '@tidemill/core/job';
import { priceOf } from '@tidemill/core/ledger';
import { hasRoom, type OpenWorker } from '@tidemill/core/scheduler';
import type { AccountId, DecisionId, JobSpec, PlanView } from '@tidemill/protocol';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import type { JobDraft } from '../jobs/draft.js';
import { Drafter } from '../jobs/drafter.js';
import { Market, probe } from '../jobs/market.js';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { Absences } from '../platform/http/absences.js';
import { Snapshots } from './snapshots.store.js';

/** So many starts say how long one takes; fewer say little about the slow tenth. */
const MIN_STARTS = 20;
/** Only the newest starts count: the network of last week was another one. */
const MAX_STARTS = 200;

/** Says what would happen to a job, without submitting it. */
@Injectable()
export class PlanService {
  constructor(
    private readonly drafter: Drafter,
    private readonly market: Market,
    private readonly snapshots: Snapshots,
    private readonly book: LedgerBook,
    private readonly db: Db,
    private readonly clock: Clock,
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
      expectedStart: await this.expectedStart(draft, suitable),
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

  /**
   * Only what is known: with a free worker and nothing ahead it starts as the newest jobs did, which is careful when some of them
   * had to wait; otherwise no figure is made up.
   */
  private async expectedStart(
    draft: JobDraft,
    suitable: readonly OpenWorker[],
  ): Promise<PlanView['expectedStart']> {
    if (suitable.length === 0)
      return {
        estimate: null,
        reason: 'No worker that is online could run it; removedBy says why.',
      };
    const task = probe(draft.needs, draft.maxGpuAsk, draft.maxCpuAsk);
    const could = new Set(suitable.map(({ id }) => id));
    const free = (await this.snapshots.workers()).filter(
      (worker) => could.has(worker.id) && hasRoom(task, worker),
    );
    const [row] = await this.db.query<{ ahead: number }>(
      'SELECT count(*)::int AS ahead FROM tasks WHERE waiting AND priority >= $1',
      [draft.priority],
    );
    const ahead = row?.ahead ?? 0;
    if (free.length === 0 || ahead > 0) {
      return {
        estimate: null,
        reason: `${free.length} of ${suitable.length} suitable workers are free and ${ahead} tasks wait ahead.`,
      };
    }
    const [took] = await this.db.query<{ starts: number; p50: number; p90: number }>(STARTS, [
      MAX_STARTS,
    ]);
    if (took === undefined || took.starts < MIN_STARTS) {
      return {
        estimate: null,
        reason: `${free.length} workers are free and nothing waits ahead, so it starts at once; only ${took?.starts ?? 0} jobs have started here, too few to say how long that takes.`,
      };
    }
    const nowMs = this.clock.nowMs();
    const at = (ms: number): string => new Date(nowMs + ms).toISOString();
    return { estimate: { p50: at(took.p50), p90: at(took.p90), basis: 'warm' }, reason: null };
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

/** From acceptance to start, in milliseconds, of the first attempts at tasks that waited for no other task. */
const STARTS = `
SELECT count(*)::int AS starts, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50, percentile_cont(0.9) WITHIN GROUP (ORDER BY ms) AS p90
FROM (
  SELECT extract(epoch FROM attempt.started_at - job.created_at)::float8 * 1000 AS ms
  FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id JOIN jobs AS job ON job.id = attempt.job_id
  WHERE attempt.number = 1 AND attempt.started_at IS NOT NULL AND task.role = 'primary' AND task.depends_on IS NULL
  ORDER BY attempt.id DESC LIMIT $1
) AS start`;

const DECISION = `
SELECT event.at_ms, event.body, chain.place
FROM trail_events AS event
JOIN attempts AS attempt ON attempt.id = event.subject
JOIN jobs AS job ON job.id = attempt.job_id
LEFT JOIN trail_chain AS chain ON chain.event_id = event.id
WHERE event.kind = 'task.placed' AND event.subject = $1 AND job.account_id = $2`;
