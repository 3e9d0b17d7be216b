import { type Api, bodyOf } from './api.js';
import { everyItem, type Page, type Paging } from './pages.js';
import type { Account, Budget, BudgetChange, LedgerEntry } from './types.js';

/** Which entries are wanted; all that is given must be so. */
export interface EntryFilter extends Paging {
  /** Such as `grant`, `hold`, `charge` or `release`. */
  readonly kind?: string;
  /** A job, an attempt, or what a credit was named. */
  readonly ref?: string;
  readonly createdAfter?: string;
  readonly createdBefore?: string;
}

/** Balance, holds and the ledger entries behind them. */
export class Accounts {
  constructor(private readonly api: Api) {}

  async get(): Promise<Account> {
    return bodyOf(await this.api.GET('/v1/account'));
  }

  /** The event balance.low tells when less than this is available; null ends it. `below` is a decimal text of tokens. */
  async warnBelow(below: string | null): Promise<Account> {
    return bodyOf(await this.api.PUT('/v1/account/warning', { body: { below } }));
  }

  /** What the account may spend, or a key with those that replaced it. */
  async budget(key?: string): Promise<Budget> {
    if (key === undefined) return bodyOf(await this.api.GET('/v1/account/budget'));
    return bodyOf(await this.api.GET('/v1/keys/{id}/budget', { params: { path: { id: key } } }));
  }

  /** Sets limits (decimal texts of tokens) or ends those that are null; one that is not named stays as it is. */
  async setBudget(change: BudgetChange, key?: string): Promise<Budget> {
    if (key === undefined)
      return bodyOf(await this.api.PUT('/v1/account/budget', { body: change }));
    const params = { path: { id: key } };
    return bodyOf(await this.api.PUT('/v1/keys/{id}/budget', { params, body: change }));
  }

  async entryPage(filter: EntryFilter = {}): Promise<Page<LedgerEntry>> {
    return bodyOf(await this.api.GET('/v1/account/entries', { params: { query: filter } }));
  }

  /** Every entry that touches the account, newest first. */
  entries(filter: Omit<EntryFilter, keyof Paging> = {}): AsyncGenerator<LedgerEntry> {
    return everyItem((paging) => this.entryPage({ ...filter, ...paging }));
  }
}
