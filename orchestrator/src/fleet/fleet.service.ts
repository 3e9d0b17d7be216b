import { Injectable } from '@nestjs/common';
import {
  TIMING,
  type SessionId,
  type WorkerFilter,
  type WorkerId,
  type WorkerProfile,
  type WorkerView,
} from '@tidemill/protocol';
import { soundKey } from '../identity/directory.js';
import { Db } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { Loops, type LoopHandle } from '../platform/loop.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { FleetStore, type Heard } from './fleet.store.js';

const SWEEP_MS = 1_000;
const MAX_LOST_PER_TURN = 500;
/** A timer may be a little early by the database's clock. */
const MARGIN_MS = 50;

/** The key of a worker was replaced by another, and logs in nobody any more. */
export class RetiredKeyError extends Error {
  override readonly name = 'RetiredKeyError';
}

/** Which workers there are, and which have gone silent. */
@Injectable()
export class FleetService {
  private refreshed = false;
  private readonly sweeping: LoopHandle;

  constructor(
    private readonly db: Db,
    private readonly store: FleetStore,
    private readonly trail: TrailWriter,
    private readonly ids: Ids,
    private readonly wakeups: Wakeups,
    loops: Loops,
  ) {
    this.sweeping = loops.add({ name: 'fleet.sweep', everyMs: SWEEP_MS, turn: () => this.sweep() });
  }

  /**
   * A worker has proven its key: it is online under this session. The first time makes it.
   *
   * @throws RetiredKeyError, and ProblemError KEY_UNSOUND when a new worker's key cannot identify anybody
   */
  async join(
    publicKey: string,
    session: SessionId,
    profile: WorkerProfile,
  ): Promise<{ id: WorkerId; state: WorkerView['state'] }> {
    const joined = await this.db.transaction(async (tx) => {
      const worker = await this.store.join(tx, {
        id: this.ids.make('worker'),
        publicKey,
        session,
        profile,
        leaseMs: TIMING.leaseMs,
      });
      if (worker === null) throw new RetiredKeyError(publicKey);
      const { id, isNew, state } = worker;
      if (isNew) {
        this.refuseUnsound(publicKey);
        await this.trail.append(tx, [
          { kind: 'worker.joined', subject: id, body: JSON.stringify({ worker: id, publicKey }) },
        ]);
      }
      await this.wakeups.notify(tx, 'tasks');
      faultPoint('fleet.join.before-commit');
      return { id, state };
    });
    faultPoint('fleet.join.after-commit');
    return joined;
  }

  /** @throws ProblemError KEY_UNSOUND */
  protected refuseUnsound(publicKey: string): void {
    soundKey(publicKey);
  }

  async updateProfile(id: WorkerId, session: SessionId, profile: WorkerProfile): Promise<void> {
    await this.store.updateProfile(this.db, id, session, profile);
    this.wakeups.local('tasks');
  }

  /** Renews terms; gives the sessions that are no longer their worker's, and why: it logged in elsewhere, or its term has ended. */
  async heard(heard: readonly Heard[]): Promise<ReadonlyMap<SessionId, 'replaced' | 'silent'>> {
    if (heard.length === 0) return new Map();
    const renewed = new Set(await this.store.renew(this.db, heard, TIMING.leaseMs));
    faultPoint('fleet.renew.after-commit');
    const over = heard.filter(({ id }) => !renewed.has(id));
    if (over.length === 0) return new Map();
    const now = await this.store.sessions(
      this.db,
      over.map(({ id }) => id),
    );
    return new Map(
      over.map(({ id, session }) => {
        const newest = now.get(id) ?? null;
        return [session, newest === null || newest === session ? 'silent' : 'replaced'];
      }),
    );
  }

  /** A socket closed: the worker has a few seconds to come back. */
  async disconnected(id: WorkerId, session: SessionId): Promise<void> {
    await this.store.shorten(this.db, id, session, TIMING.reconnectMs);
    faultPoint('fleet.disconnected.after-commit');
    // Looked at as soon as they are over: waiting for the next sweep could cost another second of the five that are promised.
    setTimeout(() => this.sweeping.wake(), TIMING.reconnectMs + MARGIN_MS).unref();
  }

  /** Gives the worker no new work. */
  async drain(id: WorkerId): Promise<void> {
    if (!(await this.store.setState(this.db, id, 'draining')))
      throw new ProblemError('NOT_FOUND', `There is no worker ${id}.`);
  }

  /** Revokes a worker's key, or takes that back. Its leases end like those of a lost worker. @throws ProblemError NOT_FOUND */
  async suspend(id: WorkerId, suspended: boolean): Promise<void> {
    await this.db.transaction(async (tx) => {
      const changed = await this.store.suspend(tx, id, suspended);
      if (changed === null) throw new ProblemError('NOT_FOUND', `There is no worker ${id}.`);
      if (!changed) return;
      const kind = suspended ? 'worker.suspended' : 'worker.resumed';
      await this.trail.append(tx, [{ kind, subject: id, body: { worker: id } }]);
      await this.wakeups.notify(tx, 'workers', 'tasks');
    });
  }

  async one(id: WorkerId): Promise<WorkerView> {
    const [worker] = await this.store.views(this.db, [id]);
    if (worker === undefined) throw new ProblemError('NOT_FOUND', `There is no worker ${id}.`);
    return worker;
  }

  /** Workers that fit the filter, a page of them. @throws ProblemError CURSOR_INVALID */
  async list(filter: WorkerFilter): Promise<Page<WorkerView>> {
    const after = positionOf('workers', filter.cursor, /^wrk_[0-9a-z]{26}$/);
    const { limit } = filter;
    const found = await this.store.list(
      this.db,
      { ...filter, limit: limit + 1 },
      after?.[0] ?? null,
    );
    return pageOf('workers', found, limit, ({ id }) => id);
  }

  private async sweep(): Promise<boolean> {
    try {
      if (!this.refreshed) {
        // After a restart, or a time without a database, every worker gets one fresh term, or all would be lost at once.
        await this.store.freshTerms(this.db, TIMING.leaseMs);
        this.refreshed = true;
      }
      return await this.markLost();
    } catch (cause) {
      this.refreshed = false;
      throw cause;
    }
  }

  private async markLost(): Promise<boolean> {
    const lost = await this.db.transaction(async (tx) => {
      const ids = await this.store.markLost(tx, MAX_LOST_PER_TURN);
      await this.trail.append(
        tx,
        ids.map((id) => ({
          kind: 'worker.lost',
          subject: id,
          body: JSON.stringify({ worker: id }),
        })),
      );
      if (ids.length > 0) {
        await this.wakeups.notify(tx, 'cancel');
        faultPoint('fleet.lost.before-commit');
      }
      return ids;
    });
    if (lost.length > 0) faultPoint('fleet.lost.after-commit');
    return lost.length === MAX_LOST_PER_TURN;
  }
}
