import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { AttemptId } from '@tidemill/protocol';
import type { Logger } from 'pino';
import { Clock } from '../platform/clock.js';
import { LOGGER } from '../platform/platform.module.js';
import { LeasesService } from '../scheduling/leases.service.js';
import type { Held } from '../scheduling/leases.store.js';
import { Sessions } from './sessions.js';

/** Writing waits this long for company. */
const WRITTEN_AFTER_MS = 5;
/** When more than so many wait the network is busy with short tasks, and writing waits longer: most will have reported by then. */
const MANY = 32;
const WRITTEN_AFTER_WHEN_MANY_MS = 500;

type Taken = Omit<Held, 'agoMs'> & { readonly takenMs: number | null };

/**
 * Leases that workers took, on their way to the database. A worker may start at once, since a lease that moved meanwhile is caught
 * by its fence; so writing waits a moment, and is saved altogether for tasks that are done by then.
 */
@Injectable()
export class Activations implements BeforeApplicationShutdown {
  private waiting = new Map<AttemptId, Taken>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly leases: LeasesService,
    private readonly sessions: Sessions,
    private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Leases taken now. They are billed from this moment, whenever it is written. */
  add(leases: readonly Omit<Held, 'agoMs'>[]): void {
    const takenMs = this.clock.monotonicMs();
    this.enqueue(leases.map((lease) => ({ ...lease, takenMs })));
  }

  /** Leases taken before a break, which may not have been written. */
  addEarlier(leases: readonly Omit<Held, 'agoMs'>[]): void {
    this.enqueue(leases.map((lease) => ({ ...lease, takenMs: null })));
  }

  private enqueue(leases: readonly Taken[]): void {
    for (const one of leases)
      if (!this.waiting.has(one.attemptId)) this.waiting.set(one.attemptId, one);
    this.timer ??= setTimeout(() => this.due(), WRITTEN_AFTER_MS);
  }

  /** The attempt has reported or was stopped: there is nothing to write any more. */
  drop(attemptId: AttemptId): void {
    this.waiting.delete(attemptId);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.flush();
    await this.writing;
  }

  private due(): void {
    if (this.waiting.size > MANY)
      this.timer = setTimeout(() => this.flush(), WRITTEN_AFTER_WHEN_MANY_MS);
    else this.flush();
  }

  private flush(): void {
    this.timer = undefined;
    const held = [...this.waiting.values()];
    this.waiting = new Map();
    if (held.length === 0) return;
    this.writing = this.writing.then(() => this.write(held));
  }

  private async write(taken: readonly Taken[]): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    const held = taken.map(({ takenMs, ...lease }) => ({
      ...lease,
      agoMs: takenMs === null ? null : nowMs - takenMs,
    }));
    try {
      const active = await this.leases.activate(held);
      for (const { workerId, attemptId } of held) {
        const session = this.sessions.of(workerId);
        if (active.has(attemptId) || session?.active.has(attemptId) !== true) continue;
        session.active.delete(attemptId);
        session.send({ type: 'cancel', attempts: [attemptId], reason: 'stale' });
      }
    } catch (err) {
      // The lease is still the worker's: it is renewed by heartbeats, and taken by the receipt.
      this.log.warn({ err, attempts: held.length }, 'leases not written as active');
    }
  }
}
