import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { TrailModule } from '../trail/trail.module.js';
import { AccountsController } from './accounts.controller.js';
import { BalanceWarnings } from './balance-warnings.js';
import { BudgetsController } from './budgets.controller.js';
import { BudgetsService } from './budgets.service.js';
import { BudgetsStore } from './budgets.store.js';
import { AccountsService } from './accounts.service.js';
import { LedgerBook } from './ledger-book.store.js';
import { PgBudgetsStore } from './pg-budgets.store.js';
import { PgLedgerBook } from './pg-ledger-book.store.js';

/**
 * Accounts: balances, holds and the double entries that move them.
 *
 * Reads:    ledger_accounts, ledger_entries, ledger_postings, budgets; jobs that a new budget counts.
 * Writes:   the same, entries append-only; balances move with the postings by a trigger.
 * Promises: every entry sums to zero and happens once for its kind and ref; no submitter's balance falls below zero (G8, G9),
 *           and no budget is exceeded, however many submissions come at once.
 */
@Module({
  imports: [TrailModule, IdentityModule],
  controllers: [AccountsController, BudgetsController],
  providers: [
    AccountsService,
    BalanceWarnings,
    BudgetsService,
    { provide: BudgetsStore, useClass: PgBudgetsStore },
    { provide: LedgerBook, useClass: PgLedgerBook },
  ],
  exports: [BudgetsStore, LedgerBook],
})
export class AccountsModule {}
