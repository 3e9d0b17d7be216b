import { Controller } from '@nestjs/common';
import type { AccountView } from '@tidemill/protocol';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { ProblemError } from '../platform/http/problem.js';
import { AccountsService } from './accounts.service.js';

@Controller()
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Operation('getAccount')
  get(@Input() { caller }: InputOf<'getAccount'>): Promise<AccountView> {
    const { accountId, wallet } = accountOf(caller);
    return this.accounts.view(accountId, wallet);
  }

  @Operation('listLedgerEntries')
  async entries(@Input() { caller, query }: InputOf<'listLedgerEntries'>) {
    const before = query.cursor === undefined ? null : entryCursor(query.cursor);
    const items = await this.accounts.entries(accountOf(caller).accountId, before, query.limit);
    return { items, nextCursor: items.length < query.limit ? null : (items.at(-1)?.id ?? null) };
  }

  @Operation('grantCredit')
  credit(@Input() { body }: InputOf<'grantCredit'>): Promise<AccountView> {
    return this.accounts.credit(body.wallet, String(body.amount), body.ref);
  }
}

function entryCursor(cursor: string): bigint {
  if (!/^\d{1,18}$/.test(cursor))
    throw new ProblemError('CURSOR_INVALID', 'The cursor is not a page of this list.');
  return BigInt(cursor);
}
