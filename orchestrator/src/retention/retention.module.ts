import { Module } from '@nestjs/common';
import { TrailModule } from '../trail/trail.module.js';
import { ErasureController } from './erasure.controller.js';
import { ErasureService } from './erasure.service.js';
import { PgRetentionStore } from './pg-retention.store.js';
import { RetentionLoop } from './retention.loop.js';
import { RetentionStore } from './retention.store.js';

/**
 * Retention: nothing but the trail and the ledger is kept for ever.
 *
 * Reads:    jobs that ended long ago, or that their submitters want gone, and whether anything of them is open.
 * Writes:   deletes them with all their rows; makes and drops the tables of log lines.
 * Promises: what is open, unpaid or can still be withheld is kept; the trail and the ledger are never touched.
 */
@Module({
  imports: [TrailModule],
  controllers: [ErasureController],
  providers: [
    ErasureService,
    RetentionLoop,
    { provide: RetentionStore, useClass: PgRetentionStore },
  ],
})
export class RetentionModule {}
