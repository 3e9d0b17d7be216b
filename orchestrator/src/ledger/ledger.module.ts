import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { TrailModule } from '../trail/trail.module.js';
import { BillingStore } from './billing.store.js';
import { PgBillingStore } from './pg-billing.store.js';
import { LedgerLoop } from './ledger.loop.js';
import { LedgerService } from './ledger.service.js';
import { ReleaseService } from './release.service.js';

/**
 * Ledger: verdicts become money.
 *
 * Reads:    verdicts and job ends that have settled.
 * Writes:   charges and ledger entries.
 * Promises: an accepted result is paid once, a hold is returned once, and a price is never more than what was held (G9).
 */
@Module({
  imports: [TrailModule, AccountsModule],
  providers: [
    { provide: BillingStore, useClass: PgBillingStore },
    LedgerLoop,
    LedgerService,
    ReleaseService,
  ],
})
export class LedgerModule {}
