import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { WebhookId } from '@tidemill/protocol';
import type { Logger } from 'pino';
import { Db } from '../platform/db/db.js';
import { Loops, type LoopHandle } from '../platform/loop.js';
import { LOGGER } from '../platform/platform.module.js';
import { Wakeups } from '../platform/wakeups.js';
import { CLAIM_MS, DeliveriesService } from './deliveries.service.js';
import { DeliveriesStore, type Claimed } from './deliveries.store.js';

const EVERY_MS = 1_000;
/** Connections this process has open to endpoints at most. */
const MAX_SENDING = 32;
/** And to one endpoint: a slow one leaves room for the others. */
const MAX_SENDING_TO_ONE = 4;
/** What was sent is shown for a month. */
const KEPT_MS = 30 * 24 * 3_600_000;
const FORGET_EVERY_MS = 60_000;
const MAX_FORGOTTEN = 5_000;

/** The stage's own clock: takes what is due and sends it, beside the turns, which wait for nobody. */
@Injectable()
export class DeliveriesLoop implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private readonly sending = new Set<Promise<void>>();
  private readonly busy = new Map<WebhookId, number>();
  private readonly handle: LoopHandle;

  constructor(
    private readonly db: Db,
    private readonly store: DeliveriesStore,
    private readonly deliveries: DeliveriesService,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(Loops) loops: Loops,
    wakeups: Wakeups,
  ) {
    this.handle = loops.add({ name: 'webhooks', everyMs: EVERY_MS, turn: () => this.turn() });
    wakeups.on('webhooks', () => this.handle.wake());
    loops.add({
      name: 'webhooks.forget',
      everyMs: FORGET_EVERY_MS,
      turn: () => this.store.forget(this.db, KEPT_MS, MAX_FORGOTTEN),
    });
  }

  /** What is on its way is broken off; its claims end, and the next process sends it. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.sending);
  }

  private async turn(): Promise<void> {
    const room = MAX_SENDING - this.sending.size;
    if (room <= 0 || this.stopping.signal.aborted) return;
    const claimed = await this.db.transaction((tx) =>
      this.store.claim(tx, room, MAX_SENDING_TO_ONE, this.busy, CLAIM_MS),
    );
    for (const delivery of claimed) this.start(delivery);
  }

  private start(delivery: Claimed): void {
    const { endpointId } = delivery;
    this.busy.set(endpointId, (this.busy.get(endpointId) ?? 0) + 1);
    const sending = this.deliveries
      .deliver(delivery, this.stopping.signal)
      .catch((err: unknown) => this.log.warn({ err, endpointId }, 'delivery not written down'))
      .finally(() => {
        this.sending.delete(sending);
        const left = (this.busy.get(endpointId) ?? 1) - 1;
        if (left === 0) this.busy.delete(endpointId);
        else this.busy.set(endpointId, left);
        this.handle.wake();
      });
    this.sending.add(sending);
  }
}
