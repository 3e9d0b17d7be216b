import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { TrailModule } from '../trail/trail.module.js';
import { AccountsController } from './accounts.controller.js';
import { BalanceWarnings } from './balance-warnings.js';
import { AccountsService } from './accounts.service.js';
import { LedgerBook } from './ledger-book.store.js';
import { PgLedgerBook } from './pg-ledger-book.store.js';

/**
 * Accounts: balances, holds and the double entries that move them.
 *
 * Reads:    ledger_accounts, ledger_entries, ledger_postings.
 * Writes:   the same, append-only; balances move with the postings by a trigger.
 * Promises: every entry sums to zero and happens once for its kind and ref; no submitter's balance falls below zero (G8, G9).
 */
@Module({
  imports: [TrailModule, IdentityModule],
  controllers: [AccountsController],
  providers: [AccountsService, BalanceWarnings, { provide: LedgerBook, useClass: PgLedgerBook }],
  exports: [LedgerBook],
})
export class AccountsModule {}
