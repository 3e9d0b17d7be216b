import { Module } from '@nestjs/common';
import { FleetModule } from '../fleet/fleet.module.js';
import { SchedulingModule } from '../scheduling/scheduling.module.js';
import { Activations } from './activations.js';
import { Admission } from './admission.js';
import { Dispatch } from './dispatch.js';
import { Handshake } from './handshake.js';
import { Inbound } from './inbound.js';
import { PgReportsStore } from './pg-reports.store.js';
import { ReportsStore } from './reports.store.js';
import { Sessions } from './sessions.js';
import { Suspensions } from './suspensions.js';
import { WorkerGateway } from './worker.gateway.js';
import { WorkerTokens } from './worker-tokens.js';

/**
 * Gateway: the worker sockets.
 *
 * Reads:    leases that are offered.
 * Writes:   what workers say of running attempts: progress, log lines, checkpoint notices.
 * Promises: no frame is acted on before its sender has proven a key, on this socket, in order (G21); no peer can make this process
 *           keep more than its share (G20).
 */
@Module({
  imports: [FleetModule, SchedulingModule],
  providers: [
    Activations,
    Admission,
    Dispatch,
    Handshake,
    Inbound,
    { provide: ReportsStore, useClass: PgReportsStore },
    Sessions,
    Suspensions,
    WorkerGateway,
    WorkerTokens,
  ],
  exports: [Inbound],
})
export class GatewayModule {}
