import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ArtifactsModule } from '../artifacts/artifacts.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { TrailModule } from '../trail/trail.module.js';
import { DecisionInputs } from './decision-inputs.js';
import { ExpectedStarts } from './expected-starts.js';
import { LeasesService } from './leases.service.js';
import { LeasesStore } from './leases.store.js';
import { PgLeasesStore } from './pg-leases.store.js';
import { PgSnapshots } from './pg-snapshots.store.js';
import { PlanService } from './plan.service.js';
import { SchedulingController } from './scheduling.controller.js';
import { SchedulingLoop } from './scheduling.loop.js';
import { Snapshots } from './snapshots.store.js';

/**
 * Scheduling: which worker takes which task, and under which lease.
 *
 * Reads:    tasks that wait, workers, live attempts.
 * Writes:   attempts and the state of their tasks; a decision record for every placement, and what it was decided on.
 * Promises: a task has at most one live lease, and its fence only rises (G4); what nobody works on goes back in line (G3, G5).
 */
@Module({
  imports: [TrailModule, AccountsModule, ArtifactsModule, JobsModule],
  controllers: [SchedulingController],
  providers: [
    DecisionInputs,
    ExpectedStarts,
    LeasesService,
    PlanService,
    SchedulingLoop,
    { provide: Snapshots, useClass: PgSnapshots },
    { provide: LeasesStore, useClass: PgLeasesStore },
  ],
  exports: [LeasesService],
})
export class SchedulingModule {}
