import { Inject, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import {
  CLOSE,
  decodeBase58,
  decodeFromWorker,
  MAX_FRAME_BYTES,
  TIMING,
  type FromWorker,
} from '@tidemill/protocol';
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { FleetService } from '../fleet/fleet.service.js';
import { Clock } from '../platform/clock.js';
import { DatabaseUnavailableError } from '../platform/db/db.js';
import { Ids } from '../platform/ids.js';
import { LOGGER } from '../platform/platform.module.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { LeasesService } from '../scheduling/leases.service.js';
import { Activations } from './activations.js';
import { Handshake, type Challenge } from './handshake.js';
import { Inbound } from './inbound.js';
import { Session } from './session.js';
import { Sessions } from './sessions.js';
import { WorkerTokens } from './worker-tokens.js';

const MAX_FRAGMENTS = 16;

/** The worker sockets: who is let in, and what each frame has to be before anybody looks at it. */
@WebSocketGateway({
  path: '/v1/worker',
  maxPayload: MAX_FRAME_BYTES,
  maxFragments: MAX_FRAGMENTS,
  perMessageDeflate: false,
  autoPong: true,
  clientTracking: true,
})
export class WorkerGateway implements OnGatewayConnection<WebSocket>, BeforeApplicationShutdown {
  constructor(
    private readonly sessions: Sessions,
    private readonly handshake: Handshake,
    private readonly inbound: Inbound,
    private readonly activations: Activations,
    private readonly fleet: FleetService,
    private readonly leases: LeasesService,
    private readonly tokens: WorkerTokens,
    private readonly ids: Ids,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const address = request.socket.remoteAddress ?? '';
    // A socket error is followed by its close; an unheard one would end the process.
    socket.on('error', () => undefined);
    // Browsers send an Origin; no worker runs in one, so a page cannot speak for its visitor.
    if (request.headers.origin !== undefined) {
      this.refuse(socket, CLOSE.unauthenticated);
      return;
    }
    if (!this.sessions.admit(address)) {
      this.refuse(socket, CLOSE.tooMany);
      return;
    }
    const session = new Session(
      this.ids.make('session'),
      socket,
      address,
      this.clock.monotonicMs(),
    );
    const challenge = this.handshake.challenge();
    const loginTimer = setTimeout(() => this.refuse(socket, CLOSE.loginTimeout), TIMING.loginMs);
    let waitingFor: Challenge | null = challenge;

    socket.on('message', (data: RawData, isBinary: boolean) => {
      const message = this.read(session, data, isBinary);
      if (message === null) return;
      if (message.type === 'login') {
        clearTimeout(loginTimer);
        const asked = waitingFor;
        waitingFor = null;
        if (asked === null) this.close(session, CLOSE.unauthenticated);
        else void this.login(session, asked, message);
        return;
      }
      this.route(session, message);
    });
    socket.on('ping', () => {
      // Pings count like frames, or a flood of them would cost us for nothing.
      if (!session.takeFrame(this.clock.monotonicMs())) this.close(session, CLOSE.tooFast);
    });
    socket.on('close', () => {
      clearTimeout(loginTimer);
      this.sessions.release(address);
      const { workerId } = session;
      if (workerId !== null && this.sessions.unbind(session)) {
        this.fleet
          .disconnected(workerId, session.id)
          .catch((err: unknown) =>
            this.log.warn({ err, workerId }, 'disconnect not written, its term runs out'),
          );
      }
    });
    session.send(challenge);
  }

  /** Tells every worker that this process goes away; they come back to it, or to another. */
  beforeApplicationShutdown(): void {
    for (const session of this.sessions.all()) session.close(CLOSE.goingAway);
  }

  /** The frame's message, or null when the socket is being closed for it. */
  private read(session: Session, data: RawData, isBinary: boolean): FromWorker | null {
    const nowMs = this.clock.monotonicMs();
    if (!session.takeFrame(nowMs)) {
      this.close(session, CLOSE.tooFast);
      return null;
    }
    if (isBinary) {
      this.close(session, CLOSE.badFrame);
      return null;
    }
    const decoded = decodeFromWorker((data as Buffer).toString('utf8')); // ws gives one Buffer unless asked otherwise
    if (!decoded.ok) {
      this.log.info(
        { workerId: session.workerId, code: decoded.code, detail: decoded.detail },
        'frame refused',
      );
      this.close(session, CLOSE.badFrame);
      return null;
    }
    session.lastHeardMs = nowMs;
    return decoded.message;
  }

  private async login(
    session: Session,
    challenge: Challenge,
    login: Extract<FromWorker, { type: 'login' }>,
  ): Promise<void> {
    const proven = this.handshake.check(challenge, login);
    if (!proven.ok) {
      this.close(session, proven.close);
      return;
    }
    try {
      const { id: workerId } = await this.fleet.join(login.publicKey, session.id, login.profile);
      const { kept, gone } = await this.leases.reconcile(workerId, login.holding);
      for (const id of kept) session.active.set(id, 0);
      // A lease that this worker works on may not have been written as active before the break.
      this.activations.addEarlier(
        login.holding
          .filter(({ attemptId }) => kept.includes(attemptId))
          .map((lease) => ({ workerId, ...lease })),
      );
      session.publicKey = decodeBase58(login.publicKey);
      this.sessions.bind(workerId, session);
      session.send({
        type: 'welcome',
        version: proven.version,
        session: session.id,
        workerId,
        token: this.tokens.issue(workerId),
        timing: {
          heartbeatMs: TIMING.heartbeatMs,
          leaseMs: TIMING.leaseMs,
          selfStopMs: TIMING.selfStopMs,
        },
        kept,
        gone,
      });
    } catch (err) {
      this.log.warn({ err }, 'login not completed');
      this.close(session, CLOSE.goingAway);
    }
  }

  private route(session: Session, message: Exclude<FromWorker, { type: 'login' }>): void {
    const { workerId } = session;
    if (workerId === null || message.session !== session.id || message.seq <= session.lastSeq) {
      this.close(session, CLOSE.unauthenticated);
      return;
    }
    session.lastSeq = message.seq;
    this.inbound.handle(session, workerId, message).catch((err: unknown) => {
      // The worker sends again what was not acknowledged; without a database that is all we can do.
      if (!(err instanceof DatabaseUnavailableError))
        this.log.error({ err, workerId, type: message.type }, 'message failed');
      this.close(session, CLOSE.goingAway);
    });
  }

  private close(session: Session, why: (typeof CLOSE)[keyof typeof CLOSE]): void {
    this.refuse(session.socket, why);
  }

  private refuse(socket: WebSocket, why: (typeof CLOSE)[keyof typeof CLOSE]): void {
    this.telemetry.socketsClosed.inc({ reason: why.reason });
    socket.close(why.code, why.reason);
  }
}
