import { Module } from '@nestjs/common';
import { TrailModule } from '../trail/trail.module.js';
import { FleetController } from './fleet.controller.js';
import { FleetService } from './fleet.service.js';
import { FleetStore } from './fleet.store.js';
import { PgFleetStore } from './pg-fleet.store.js';

/**
 * Fleet: which workers there are, what they offer, and which have gone silent.
 *
 * Reads:    workers.
 * Writes:   workers; a trail event when one joins or is lost.
 * Promises: one term of 15 s serves all leases of a worker and is renewed by heartbeats only; a silent worker is lost within a
 *           second of its end, by the database's clock (G5).
 */
@Module({
  imports: [TrailModule],
  controllers: [FleetController],
  providers: [FleetService, { provide: FleetStore, useClass: PgFleetStore }],
  exports: [FleetService],
})
export class FleetModule {}
