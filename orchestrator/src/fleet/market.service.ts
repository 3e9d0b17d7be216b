import { Injectable } from '@nestjs/common';
import type { OpenWorker } from '@tidemill/core/scheduler';
import {
  makeId,
  type EarningsPeriod,
  type EarningsView,
  type MarketView,
  type WorkerId,
} from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { MarketStore } from './market.store.js';

const HOUR_MS = 3_600_000;
/** Anybody may ask, and prices move slowly: the tables are read this often at most. */
const KEPT_MS = 10_000;
/** Most periods in one answer: six weeks of hours. */
const MAX_PERIODS = 1_008;
const MAX_EPOCHS = 100;

/** What owners decide their prices by: what others ask, what is asked of them, and what came in. */
@Injectable()
export class MarketService {
  private kept: { readonly atMs: number; readonly view: Promise<MarketView> } | null = null;

  constructor(
    private readonly db: Db,
    private readonly store: MarketStore,
    private readonly clock: Clock,
  ) {}

  /** @throws ProblemError NOT_FOUND, or VALIDATION_FAILED for more periods than one answer holds */
  async earnings(
    id: WorkerId,
    query: {
      readonly by: EarningsPeriod;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
    },
  ): Promise<EarningsView> {
    if (!(await this.store.isWorker(this.db, id)))
      throw new ProblemError('NOT_FOUND', `There is no worker ${id}.`);
    const from = query.from === undefined ? null : new Date(query.from);
    const to = query.to === undefined ? null : new Date(query.to);
    const items = await this.store.earnings(this.db, id, query.by, from, to, MAX_PERIODS + 1);
    if (items.length > MAX_PERIODS) {
      const detail = `query: more than ${MAX_PERIODS} periods; ask for longer ones, or narrow from and to`;
      throw new ProblemError('VALIDATION_FAILED', detail);
    }
    return {
      by: query.by,
      items: items.map((item) => ({
        from: item.from.toISOString(),
        results: item.results,
        amount: String(item.amount),
      })),
      total: String(items.reduce((sum, { amount }) => sum + amount, 0n)),
      epochs: (await this.store.epochs(this.db, id, MAX_EPOCHS)).map((one) => ({
        epoch: Number(one.epoch),
        state: one.state,
        sealedAt: one.sealed_at.toISOString(),
        amount: String(one.amount),
        slashed: String(one.slashed),
      })),
    };
  }

  market(): Promise<MarketView> {
    const nowMs = this.clock.monotonicMs();
    if (this.kept !== null && nowMs - this.kept.atMs < KEPT_MS) return this.kept.view;
    const view = this.read();
    this.kept = { atMs: nowMs, view };
    // What failed is not kept.
    view.catch(() => (this.kept = null));
    return view;
  }

  private async read(): Promise<MarketView> {
    // Ids begin with their time, so the key of the table finds the last hour.
    const since = makeId('attempt', this.clock.nowMs() - HOUR_MS, new Uint8Array(10));
    const [workers, demand] = await Promise.all([
      this.store.workersOnline(this.db),
      this.store.demand(this.db, since),
    ]);
    return { classes: classesOf(workers), demand };
  }
}

function classesOf(workers: readonly OpenWorker[]): MarketView['classes'] {
  const groups = new Map<string, { runtime: string; class: string; members: OpenWorker[] }>();
  for (const worker of workers) {
    for (const { name, class: of } of worker.capabilities.runtimes) {
      const key = `${name} ${of}`;
      const group = groups.get(key) ?? { runtime: name, class: of, members: [] };
      group.members.push(worker);
      groups.set(key, group);
    }
  }
  return [...groups.values()]
    .sort((a, b) => (a.class < b.class ? -1 : 1))
    .map(({ members, ...group }) => {
      const withGpu = members.filter(({ total }) => total.gpuMilli > 0);
      return {
        ...group,
        workers: members.length,
        slots: members.reduce((sum, { freeSlots }) => sum + freeSlots, 0),
        cpuHour: rangeOf(members.map(({ cpuAsk }) => cpuAsk)),
        gpuHour: withGpu.length === 0 ? null : rangeOf(withGpu.map(({ gpuAsk }) => gpuAsk)),
      };
    });
}

/** Of an even number of asks the lower of the two in the middle: a price that somebody really asks. */
function rangeOf(asks: readonly bigint[]): { low: string; median: string; high: string } {
  const sorted = [...asks].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const at = (index: number) => String(sorted[index] ?? 0n);
  return { low: at(0), median: at((sorted.length - 1) >> 1), high: at(sorted.length - 1) };
}
