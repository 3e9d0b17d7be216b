import { Module, type DynamicModule } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import { ArtifactsModule } from './artifacts/artifacts.module.js';
import { ChainModule } from './chain/chain.module.js';
import { Config } from './config/env.js';
import { EvidenceModule } from './evidence/evidence.module.js';
import { FleetModule } from './fleet/fleet.module.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { IdentityModule } from './identity/identity.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { LedgerModule } from './ledger/ledger.module.js';
import { PlatformModule } from './platform/platform.module.js';
import { ReceiptsModule } from './receipts/receipts.module.js';
import { RetentionModule } from './retention/retention.module.js';
import { SchedulingModule } from './scheduling/scheduling.module.js';
import { SettlementModule } from './settlement/settlement.module.js';
import { TrailModule } from './trail/trail.module.js';
import { VerificationModule } from './verification/verification.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

/** The stages in the order of the road; each may use those before it, none a later one. */
export const STAGES = [
  TrailModule,
  IdentityModule,
  AccountsModule,
  ArtifactsModule,
  JobsModule,
  FleetModule,
  SchedulingModule,
  GatewayModule,
  ReceiptsModule,
  VerificationModule,
  LedgerModule,
  EvidenceModule,
  SettlementModule,
  ChainModule,
  WebhooksModule,
  RetentionModule,
];

/** Composition root. */
@Module({})
export class AppModule {
  static with(config: Config): DynamicModule {
    return {
      module: AppModule,
      global: true,
      imports: [PlatformModule, ...STAGES],
      providers: [{ provide: Config, useValue: config }],
      exports: [Config],
    };
  }
}
