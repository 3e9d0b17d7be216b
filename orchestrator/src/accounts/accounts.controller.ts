import { Controller } from '@nestjs/common';
import type { AccountView, LedgerEntryView } from '@tidemill/protocol';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import type { Page } from '../platform/http/page.js';
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
  entries(
    @Input() { caller, query }: InputOf<'listLedgerEntries'>,
  ): Promise<Page<LedgerEntryView>> {
    return this.accounts.entries(accountOf(caller).accountId, query);
  }

  @Operation('setBalanceWarning')
  warn(@Input() { caller, body }: InputOf<'setBalanceWarning'>): Promise<AccountView> {
    const { accountId, wallet } = accountOf(caller);
    const below = body.below === null ? null : String(body.below);
    return this.accounts.warnBelow(accountId, wallet, below);
  }

  @Operation('grantCredit')
  credit(@Input() { body }: InputOf<'grantCredit'>): Promise<AccountView> {
    return this.accounts.credit(body.wallet, String(body.amount), body.ref);
  }
}
