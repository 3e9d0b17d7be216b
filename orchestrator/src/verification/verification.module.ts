import { Module } from '@nestjs/common';
import { ArtifactsModule } from '../artifacts/artifacts.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { ReceiptsModule } from '../receipts/receipts.module.js';
import { TrailModule } from '../trail/trail.module.js';
import { OutputRights } from './output-rights.js';
import { PgVerdictsStore } from './pg-verdicts.store.js';
import { VerdictsStore } from './verdicts.store.js';
import { VerificationLoop } from './verification.loop.js';
import { VerificationService } from './verification.service.js';
import { Waivers } from './waivers.js';

/**
 * Verification: is a receipt true?
 *
 * Reads:    receipts without a verdict; the other executions of their tasks.
 * Writes:   one verdict per receipt, for good; executions that check others; the end of tasks and jobs.
 * Promises: who is audited can be neither foreseen nor picked (G14); no verdict rests on one worker's word against another's.
 */
@Module({
  imports: [TrailModule, ArtifactsModule, JobsModule, ReceiptsModule],
  providers: [
    OutputRights,
    VerificationLoop,
    VerificationService,
    Waivers,
    { provide: VerdictsStore, useClass: PgVerdictsStore },
  ],
})
export class VerificationModule {}
