import { Module } from '@nestjs/common';
import { ArtifactsModule } from '../artifacts/artifacts.module.js';
import { GatewayModule } from '../gateway/gateway.module.js';
import { SchedulingModule } from '../scheduling/scheduling.module.js';
import { TrailModule } from '../trail/trail.module.js';
import { PgReceiptsStore } from './pg-receipts.store.js';
import { ReceiptsService } from './receipts.service.js';
import { ReceiptsStore } from './receipts.store.js';

/**
 * Receipts: what workers signed about their attempts.
 *
 * Reads:    attempts and tasks, to see whether a receipt counts.
 * Writes:   receipts, their outputs, the tasks that waited for a checkpoint; what does not count, as evidence.
 * Promises: a receipt counts once, and only under its task's highest fence (G4); it is acknowledged after its commit.
 */
@Module({
  imports: [TrailModule, ArtifactsModule, SchedulingModule, GatewayModule],
  providers: [ReceiptsService, { provide: ReceiptsStore, useClass: PgReceiptsStore }],
  exports: [ReceiptsStore],
})
export class ReceiptsModule {}
