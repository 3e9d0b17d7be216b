import { Module, type OnModuleInit } from '@nestjs/common';
import { createKeyFile, loadSigner, type Signer } from '@tidemill/protocol/node';
import { existsSync } from 'node:fs';
import { AccountsModule } from '../accounts/accounts.module.js';
import { Config } from '../config/env.js';
import { IdentityModule } from '../identity/identity.module.js';
import { Db } from '../platform/db/db.js';
import { TrailModule } from '../trail/trail.module.js';
import { Attestations } from './attestations.js';
import { ChainBooks } from './chain-books.js';
import { EpochLines } from './epoch-lines.js';
import { EpochViews } from './epoch-views.js';
import { Epochs } from './epochs.js';
import { JoiningService } from './joining.service.js';
import { Proofs, RELEASER } from './proofs.js';
import { SealingService } from './sealing.service.js';
import { SettlementController } from './settlement.controller.js';
import { SettlementLoop } from './settlement.loop.js';
import { Trees } from './trees.js';

/**
 * Settlement: what was charged becomes what can be claimed.
 *
 * Reads:    released charges of jobs that are over, payout addresses, balances.
 * Writes:   epochs with their totals and leaves, indexes, what co-signers say, the ledger of the chain.
 * Promises: a charge joins one epoch, once (G9); totals never fall and always agree (G8); what was sealed does not change.
 */
@Module({
  imports: [TrailModule, IdentityModule, AccountsModule],
  controllers: [SettlementController],
  providers: [
    Attestations,
    ChainBooks,
    EpochLines,
    EpochViews,
    Epochs,
    JoiningService,
    Proofs,
    SealingService,
    SettlementLoop,
    Trees,
    {
      provide: RELEASER,
      useFactory: ({ settlement }: Config): Signer | null =>
        settlement === null ? null : openSigner(settlement.releaserKeyFile),
      inject: [Config],
    },
  ],
  exports: [ChainBooks, Epochs, Trees],
})
export class SettlementModule implements OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
  ) {}

  /** Credit that the operator gave lies in no vault: a network that has some cannot pay on chain. */
  async onModuleInit(): Promise<void> {
    if (this.config.settlement === null) return;
    const [granted] = await this.db.query<{ units: bigint }>(GRANTED);
    if (granted === undefined || granted.units === 0n) return;
    throw new Error(
      `there is a chain (TIDEMILL_SETTLEMENT_NETWORK), but submitters have ${granted.units} base units of credit that lie in no vault: ` +
        'begin with an empty database, or leave the chain out',
    );
  }
}

const GRANTED = `SELECT -coalesce(sum(balance), 0)::bigint AS units FROM ledger_accounts WHERE bucket = 'grants' AND balance <> 0`;

function openSigner(file: string): Signer {
  return existsSync(file) ? loadSigner(file) : createKeyFile(file);
}
