import { Injectable } from '@nestjs/common';
import {
  BUDGET_PERIODS,
  parseAmount,
  type AccountId,
  type BudgetPeriod,
  type BudgetRequest,
  type BudgetView,
  type KeyId,
} from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import type { Caller } from '../platform/http/caller.js';
import { ProblemError } from '../platform/http/problem.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { BudgetsStore } from './budgets.store.js';

type Submitter = Extract<Caller, { kind: 'account' }>;

/** What accounts and keys may spend, as it is shown and changed. */
@Injectable()
export class BudgetsService {
  constructor(
    private readonly db: Db,
    private readonly store: BudgetsStore,
    private readonly trail: TrailWriter,
  ) {}

  ofAccount(accountId: AccountId): Promise<BudgetView> {
    return this.view(accountId);
  }

  /** @throws ProblemError NOT_FOUND */
  async ofKey(accountId: AccountId, id: KeyId): Promise<BudgetView> {
    return this.view(await this.ownerOf(accountId, id));
  }

  /** @throws ProblemError FORBIDDEN when the caller's key has a budget of its own: it would lift what keeps it */
  async set(caller: Submitter, key: KeyId | null, request: BudgetRequest): Promise<BudgetView> {
    const { accountId, budgetKey } = caller;
    const owner = key === null ? accountId : await this.ownerOf(accountId, key);
    if (budgetKey !== null && (await this.store.of(this.db, budgetKey)).length > 0)
      throw new ProblemError('FORBIDDEN', 'A key with a budget sets no budgets.');
    const limits = new Map<BudgetPeriod, bigint | null>();
    for (const period of BUDGET_PERIODS) {
      const limit = request[period];
      if (limit !== undefined)
        limits.set(period, limit === null ? null : parseAmount(String(limit)));
    }
    if (limits.size > 0)
      await this.db.transaction(async (tx) => {
        await this.store.set(tx, accountId, owner, limits);
        const change = Object.fromEntries([...limits].map(([period, limit]) => [period, limit === null ? null : String(limit)])); // prettier-ignore
        await this.trail.append(tx, [
          { kind: 'budget.set', subject: owner, body: { account: accountId, ...change } },
        ]);
      });
    return this.view(owner);
  }

  private async ownerOf(accountId: AccountId, id: KeyId): Promise<KeyId> {
    const owner = await this.store.ownerOfKey(this.db, accountId, id);
    if (owner === null) throw new ProblemError('NOT_FOUND', 'There is no such key of yours.');
    return owner;
  }

  private async view(owner: AccountId | KeyId): Promise<BudgetView> {
    const view: BudgetView = { day: null, month: null, total: null };
    for (const { period, limit, used, renewsAt } of await this.store.of(this.db, owner)) {
      view[period] = {
        limit: String(limit),
        used: String(used),
        left: String(limit > used ? limit - used : 0n),
        renewsAt: renewsAt?.toISOString() ?? null,
      };
    }
    return view;
  }
}
