import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ArtifactsModule } from '../artifacts/artifacts.module.js';
import { TrailModule } from '../trail/trail.module.js';
import { Acceptance } from './acceptance.js';
import { Drafter } from './drafter.js';
import { EventStream } from './event-stream.js';
import { InputsInUse } from './inputs-in-use.js';
import { JobEvents } from './job-events.js';
import { JobStarts } from './job-starts.js';
import { JobViews } from './job-views.js';
import { JobsController } from './jobs.controller.js';
import { JobsLoop } from './jobs.loop.js';
import { JobsService } from './jobs.service.js';
import { JobsStore } from './jobs.store.js';
import { Market } from './market.js';
import { PgJobsStore } from './pg-jobs.store.js';
import { QueueLimits } from './queue-limits.js';
import { RerunsService } from './reruns.service.js';
import { TfjsDrafter } from './tfjs-drafter.js';

/**
 * Jobs: what was asked for, and what became of it.
 *
 * Reads:    jobs, tasks; workers for prices; attempts, verdicts and charges to show them.
 * Writes:   jobs, tasks, job_ends, idempotency_keys; a hold and a trail event with each job.
 * Promises: an accepted job is committed with its hold before it is acknowledged, ends once, and is not lost (G1, G2, G6).
 */
@Module({
  imports: [TrailModule, AccountsModule, ArtifactsModule],
  controllers: [JobsController],
  providers: [
    Acceptance,
    Drafter,
    EventStream,
    InputsInUse,
    JobEvents,
    JobStarts,
    JobsLoop,
    JobsService,
    JobViews,
    Market,
    QueueLimits,
    RerunsService,
    TfjsDrafter,
    { provide: JobsStore, useClass: PgJobsStore },
  ],
  exports: [JobsService, JobStarts, JobViews, Drafter, Market],
})
export class JobsModule {}
