import { Inject, Injectable } from '@nestjs/common';
import {
  CLOSE,
  MAX_FRAME_BYTES,
  type AttemptId,
  type Offer,
  type WorkerId,
} from '@tidemill/protocol';
import type { Logger } from 'pino';
import { FleetService } from '../fleet/fleet.service.js';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { Loops } from '../platform/loop.js';
import { LOGGER } from '../platform/platform.module.js';
import { Wakeups, type Channel } from '../platform/wakeups.js';
import { LeasesService, type Stop } from '../scheduling/leases.service.js';
import type { Leased } from '../scheduling/leases.store.js';
import { Activations } from './activations.js';
import { Sessions } from './sessions.js';

const RENEW_EVERY_MS = 1_000;
/** A term of 15 s is renewed at most this often, however fast a worker's heartbeats come. */
const RENEW_GAP_MS = 3_000;
const OFFERS_EVERY_MS = 1_000;
/** Sent offers are remembered for longer than they are open. */
const MAX_REMEMBERED = 50_000;

/** Sends offered leases to the workers connected here, tells them what to stop, and renews the terms of those that were heard. */
@Injectable()
export class Dispatch {
  /** A session and an attempt: what was on its way in a session that broke off is offered again in the next one. */
  private readonly offered = new Set<string>();

  constructor(
    private readonly sessions: Sessions,
    private readonly leases: LeasesService,
    private readonly activations: Activations,
    private readonly fleet: FleetService,
    private readonly clock: Clock,
    private readonly db: Db,
    private readonly wakeups: Wakeups,
    @Inject(LOGGER) private readonly log: Logger,
    loops: Loops,
  ) {
    leases.tell({
      offer: (leased) => {
        this.offer(leased);
        this.tellOthers(leased, 'offers');
      },
      stop: (stops, reason) => {
        this.stop(stops, reason);
        this.tellOthers(stops, 'stops');
      },
    });
    loops.add({ name: 'gateway.renew', everyMs: RENEW_EVERY_MS, turn: () => this.renew() });
    const offers = loops.add({
      name: 'gateway.offers',
      everyMs: OFFERS_EVERY_MS,
      turn: () => this.sweepOffers(),
    });
    wakeups.on('offers', () => offers.wake());
    wakeups.on('stops', () => {
      this.stopEnded().catch((err: unknown) =>
        this.log.info({ err }, 'workers learn at the end of their attempts that they were stopped'),
      );
    });
  }

  private stop(stops: readonly Stop[], reason: 'cancelled' | 'lost'): void {
    for (const [workerId, attempts] of byWorker(
      stops.map(({ workerId, attemptId }) => [workerId, attemptId]),
    )) {
      const session = this.sessions.of(workerId);
      for (const id of attempts) {
        this.activations.drop(id);
        session?.offered.delete(id);
        session?.active.delete(id);
      }
      session?.send({ type: 'cancel', attempts, reason });
    }
  }

  /** Another replica ended attempts of workers that are not connected there: those that are here are told. */
  private async stopEnded(): Promise<void> {
    const held = [...this.sessions.all()].flatMap(({ offered, active }) => [
      ...offered.keys(),
      ...active.keys(),
    ]);
    const stopped = await this.leases.stopped(held);
    for (const why of ['cancelled', 'lost'] as const)
      this.stop(
        stopped.filter(({ reason }) => reason === why),
        why,
      );
  }

  /** Offers travel as lists, one or more frames a worker; an attempt is offered once in a session. */
  private offer(leased: readonly Leased[]): void {
    if (this.offered.size > MAX_REMEMBERED) this.offered.clear();
    const fresh = leased.filter(({ workerId, offer }) => this.isFresh(workerId, offer.attemptId));
    for (const [workerId, offers] of byWorker(
      fresh.map(({ workerId, offer }) => [workerId, offer]),
    )) {
      const session = this.sessions.of(workerId);
      for (const { attemptId, fence } of offers) session?.offered.set(attemptId, fence);
      for (const frame of frames(offers)) {
        if (session?.send({ type: 'offer', offers: frame }) === false) {
          this.log.info({ workerId }, 'worker reads too slowly');
          break;
        }
      }
    }
  }

  /** Some of it is for workers that are connected elsewhere: their orchestrator finds the rows when it is woken. */
  private tellOthers(about: readonly { readonly workerId: WorkerId }[], channel: Channel): void {
    if (about.every(({ workerId }) => this.sessions.of(workerId) !== undefined)) return;
    this.wakeups
      .notify(this.db, channel)
      .catch((err: unknown) => this.log.info({ err, channel }, 'others were not woken'));
  }

  private isFresh(workerId: WorkerId, attemptId: AttemptId): boolean {
    const session = this.sessions.of(workerId);
    // Once this process goes away, what it has leased is offered by the next.
    if (session === undefined || this.sessions.isDraining) return false;
    const name = `${session.id} ${attemptId}`;
    if (this.offered.has(name)) return false;
    this.offered.add(name);
    return true;
  }

  /** Leases made by another replica, or before a restart, for workers that are here. */
  private async sweepOffers(): Promise<void> {
    const workerIds = this.sessions.workerIds();
    if (workerIds.length > 0) this.offer(await this.leases.openOffers(workerIds));
  }

  private async renew(): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    const heard = [...this.sessions.all()].filter(
      (session) =>
        session.lastHeardMs > session.renewedMs && nowMs - session.renewedMs >= RENEW_GAP_MS,
    );
    const over = await this.fleet.heard(
      heard.flatMap(({ workerId, id, lastHeardMs }) =>
        workerId === null ? [] : [{ id: workerId, session: id, agoMs: nowMs - lastHeardMs }],
      ),
    );
    for (const session of heard) {
      session.renewedMs = nowMs;
      // This socket speaks for nobody any more; a worker whose term ended logs in again.
      const why = over.get(session.id);
      if (why !== undefined) session.close(CLOSE[why]);
    }
  }
}

/** Lists of offers that each fit a frame. */
function* frames(offers: readonly Offer[]): Generator<Offer[]> {
  let frame: Offer[] = [];
  let length = 0;
  for (const offer of offers) {
    const size = offer.payload.length * 2 + 1_024; // quotes in the payload are escaped again
    if (frame.length > 0 && length + size > MAX_FRAME_BYTES / 2) {
      yield frame;
      frame = [];
      length = 0;
    }
    frame.push(offer);
    length += size;
  }
  if (frame.length > 0) yield frame;
}

function byWorker<T>(pairs: readonly (readonly [WorkerId, T])[]): Map<WorkerId, T[]> {
  const lists = new Map<WorkerId, T[]>();
  for (const [workerId, item] of pairs) {
    const list = lists.get(workerId);
    if (list === undefined) lists.set(workerId, [item]);
    else list.push(item);
  }
  return lists;
}
