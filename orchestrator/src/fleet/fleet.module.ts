import { Module } from '@nestjs/common';
import { TrailModule } from '../trail/trail.module.js';
import { FleetController } from './fleet.controller.js';
import { FleetService } from './fleet.service.js';
import { FleetStore } from './fleet.store.js';
import { MarketService } from './market.service.js';
import { MarketStore } from './market.store.js';
import { OwnersController } from './owners.controller.js';
import { OwnersService } from './owners.service.js';
import { OwnersStore } from './owners.store.js';
import { PgFleetStore } from './pg-fleet.store.js';
import { PgMarketStore } from './pg-market.store.js';
import { PgOwnersStore } from './pg-owners.store.js';

/**
 * Fleet: which workers there are, what they offer, and which have gone silent.
 *
 * Reads:    workers; for prices also ledger entries, and how much waits and runs.
 * Writes:   workers; a trail event when one joins or is lost, and for each order of its owner.
 * Promises: one term of 15 s serves all leases of a worker and is renewed by heartbeats only; a silent worker is lost within a
 *           second of its end, by the database's clock (G5); a payout address changes 24 h after an order of the key that is paid now, and not before.
 */
@Module({
  imports: [TrailModule],
  controllers: [FleetController, OwnersController],
  providers: [
    FleetService,
    MarketService,
    OwnersService,
    { provide: FleetStore, useClass: PgFleetStore },
    { provide: MarketStore, useClass: PgMarketStore },
    { provide: OwnersStore, useClass: PgOwnersStore },
  ],
  exports: [FleetService],
})
export class FleetModule {}
