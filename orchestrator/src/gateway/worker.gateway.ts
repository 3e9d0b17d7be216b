import { Inject, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import {
  CLOSE,
  decodeBase58,
  decodeFromWorker,
  MAX_FRAME_BYTES,
  PROTOCOL_VERSIONS,
  TIMING,
  type FromWorker,
} from '@tidemill/protocol';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { FleetService, RetiredKeyError } from '../fleet/fleet.service.js';
import { Clock } from '../platform/clock.js';
import { DatabaseUnavailableError } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { Peers } from '../platform/limits/peers.js';
import { LOGGER } from '../platform/platform.module.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { LeasesService } from '../scheduling/leases.service.js';
import { Activations } from './activations.js';
import { Admission } from './admission.js';
import { Handshake, type Challenge } from './handshake.js';
import { Inbound } from './inbound.js';
import { closeSocket, Session } from './session.js';
import { Sessions } from './sessions.js';
import { WorkerTokens } from './worker-tokens.js';

type Close = (typeof CLOSE)[keyof typeof CLOSE];

const MAX_FRAGMENTS = 16;
/** From the word that this process goes away to the end of its sockets: what workers had ready to send arrives. */
const DRAIN_MS = 250;

/** Peers that are sent away for these are not read any more, or the rest of their flood would cost us until they are gone. */
const UNREAD = new Set<Close>([CLOSE.tooFast, CLOSE.tooMany, CLOSE.badFrame, CLOSE.loginTimeout]);

/** The worker sockets: who is let in, and what each frame has to be before anybody looks at it. */
@WebSocketGateway({
  path: '/v1/worker',
  maxPayload: MAX_FRAME_BYTES,
  maxFragments: MAX_FRAGMENTS,
  perMessageDeflate: false,
  autoPong: true,
  clientTracking: true,
})
export class WorkerGateway
  implements OnGatewayConnection<WebSocket>, OnModuleDestroy, BeforeApplicationShutdown
{
  constructor(
    private readonly admission: Admission,
    private readonly sessions: Sessions,
    private readonly handshake: Handshake,
    private readonly inbound: Inbound,
    private readonly activations: Activations,
    private readonly fleet: FleetService,
    private readonly leases: LeasesService,
    private readonly tokens: WorkerTokens,
    private readonly ids: Ids,
    private readonly clock: Clock,
    private readonly peers: Peers,
    private readonly telemetry: Telemetry,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const network = this.peers.networkOf(request);
    // A socket error is followed by its close; an unheard one would end the process.
    socket.on('error', () => undefined);
    // Browsers send an Origin; no worker runs in one, so a page cannot speak for its visitor.
    if (request.headers.origin !== undefined) {
      this.refuse(socket, CLOSE.unauthenticated);
      return;
    }
    const refusal = this.sessions.isDraining ? 'goingAway' : this.admission.admit(network);
    if (refusal !== null) {
      this.refuse(socket, CLOSE[refusal]);
      return;
    }
    const session = new Session(
      this.ids.make('session'),
      socket,
      network,
      this.clock.monotonicMs(),
    );
    const longest = this.admission.waits(session);
    if (longest !== null) this.close(longest, CLOSE.tooMany);
    const challenge = this.handshake.challenge();
    const loginTimer = setTimeout(() => this.refuse(socket, CLOSE.loginTimeout), TIMING.loginMs);
    let waitingFor: Challenge | null = challenge;

    socket.on('message', (data: RawData, isBinary: boolean) => {
      // What was on its way when the socket was told to go is not looked at.
      if (socket.readyState !== socket.OPEN) return;
      const message = this.read(session, data, isBinary);
      if (message === null) return;
      if (message.type === 'login') {
        clearTimeout(loginTimer);
        this.admission.waitsNoMore(session);
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
      this.admission.waitsNoMore(session);
      this.admission.release(network);
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

  /** Tells every worker that it gets nothing more from this process, and to send what it has. */
  onModuleDestroy(): void {
    this.sessions.isDraining = true;
    for (const session of this.sessions.all()) session.send({ type: 'drain' });
  }

  /** Sends every worker away a moment later; they come back to this process when it is up again, or to another. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.sessions.workerIds().length > 0) await sleep(DRAIN_MS);
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
      this.close(session, proven.close, adviceOn(proven.close));
      return;
    }
    try {
      const joined = await this.fleet.join(login.publicKey, session.id, login.profile);
      if (joined.state === 'suspended') {
        this.close(session, CLOSE.suspended);
        return;
      }
      const workerId = joined.id;
      const { kept, gone } = await this.leases.reconcile(workerId, login.holding);
      if (session.socket.readyState !== session.socket.OPEN) {
        // It left meanwhile, when its worker was not known yet: nobody will hear of this session's end any more.
        await this.fleet.disconnected(workerId, session.id);
        return;
      }
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
      const isUnsound = err instanceof ProblemError && err.code === 'KEY_UNSOUND';
      if (isUnsound || err instanceof RetiredKeyError) {
        this.close(session, CLOSE.unauthenticated);
        return;
      }
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

  private close(session: Session, why: Close, advice?: string): void {
    this.refuse(session.socket, why, advice);
  }

  private refuse(socket: WebSocket, why: Close, advice?: string): void {
    if (socket.readyState === socket.OPEN) this.telemetry.socketsClosed.inc({ reason: why.reason });
    closeSocket(socket, why, advice);
    // What else such a peer sends stays where it is.
    if (UNREAD.has(why)) socket.pause();
  }
}

/** What the operator of a refused worker reads in its log. A close frame has room for 123 bytes. */
function adviceOn(why: Close): string | undefined {
  return why === CLOSE.versionMismatch
    ? `spoken here ${PROTOCOL_VERSIONS.join(', ')}; update the older side (git pull, npm run setup)`
    : undefined;
}
