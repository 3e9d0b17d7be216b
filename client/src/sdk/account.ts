import { type Api, bodyOf } from './api.js';
import { everyItem, type Page, type Paging } from './pages.js';
import type { Account, LedgerEntry } from './types.js';

/** Balance, holds and the ledger entries behind them. */
export class Accounts {
  constructor(private readonly api: Api) {}

  async get(): Promise<Account> {
    return bodyOf(await this.api.GET('/v1/account'));
  }

  async entryPage(paging: Paging = {}): Promise<Page<LedgerEntry>> {
    return bodyOf(await this.api.GET('/v1/account/entries', { params: { query: paging } }));
  }

  /** Every entry that touches the account, newest first. */
  entries(): AsyncGenerator<LedgerEntry> {
    return everyItem((paging) => this.entryPage(paging));
  }
}
