import { Injectable } from '@nestjs/common';
import {
  WEBHOOK_TEST,
  type AccountId,
  type WebhookDeliveryView,
  type WebhookId,
  type WebhookMessage,
} from '@tidemill/protocol';
import { hash } from 'node:crypto';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { ProblemError } from '../platform/http/problem.js';
import { Wakeups } from '../platform/wakeups.js';
import { DeliveriesStore, type Claimed } from './deliveries.store.js';
import { EndpointsService } from './endpoints.service.js';
import { waitAfter } from './retry-schedule.js';
import { Sender } from './sender.js';
import { WebhookSecrets } from './webhook-secrets.js';

/** Longer than one try can take, so that nobody else sends what this process is sending. */
export const CLAIM_MS = 30_000;
/** An endpoint where nothing arrived for so long is given up. */
const GIVE_UP_MS = 5 * 24 * 3_600_000;

/** Between 0 and 1, another one for every try of every message. */
const jitterOf = ({ endpointId, eventId, tries }: Claimed): number =>
  hash('sha256', `${endpointId}:${eventId}:${tries}`, 'buffer').readUInt32BE() / 2 ** 32;

/** Sends deliveries and shows what became of them. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly db: Db,
    private readonly store: DeliveriesStore,
    private readonly endpoints: EndpointsService,
    private readonly secrets: WebhookSecrets,
    private readonly sender: Sender,
    private readonly clock: Clock,
    private readonly wakeups: Wakeups,
  ) {}

  /** Sends a claimed delivery and writes down how it went. */
  async deliver(delivery: Claimed, stop: AbortSignal): Promise<void> {
    const nowMs = this.clock.nowMs();
    const startedMs = this.clock.monotonicMs();
    const timestampS = Math.floor(nowMs / 1_000);
    const message: WebhookMessage = {
      type: delivery.type,
      timestamp: delivery.at.toISOString(),
      data: JSON.parse(delivery.data) as Record<string, unknown>, // written as an object by the event's trigger
    };
    const body = JSON.stringify(message);
    const { endpointId: id, version, previousUntil } = delivery;
    const both = previousUntil !== null && previousUntil.getTime() > nowMs;
    const signings = [{ id, version }, ...(both ? [{ id, version: version - 1 }] : [])];
    const { status, error } = await this.sender.send(
      {
        url: delivery.url,
        body,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'tidemill-webhooks',
          'webhook-id': delivery.eventId,
          'webhook-timestamp': String(timestampS),
          'webhook-signature': this.secrets.sign(signings, delivery.eventId, timestampS, body),
        },
      },
      stop,
    );
    // A stop of this process says nothing about the endpoint: the claim ends and another process sends it.
    if (stop.aborted && status === null) return;
    const ms = this.clock.monotonicMs() - startedMs;
    const waitMs = waitAfter(delivery.tries + 1, jitterOf(delivery));
    const tried = { delivery, at: new Date(nowMs), ms, status, error, waitMs };
    await this.db.transaction((tx) => this.store.finish(tx, tried, GIVE_UP_MS));
  }

  /** Sends a message now, also to an endpoint that is paused, and says how it went. @throws ProblemError NOT_FOUND */
  async test(accountId: AccountId, id: WebhookId): Promise<WebhookDeliveryView> {
    await this.endpoints.one(accountId, id);
    const delivery = await this.store.add(this.db, id, WEBHOOK_TEST, '{}', CLAIM_MS);
    await this.deliver(delivery, new AbortController().signal);
    return this.view(id, String(delivery.id));
  }

  /** @throws ProblemError NOT_FOUND or CURSOR_INVALID */
  async list(
    accountId: AccountId,
    id: WebhookId,
    query: {
      cursor?: string | undefined;
      limit: number;
      state?: WebhookDeliveryView['state'] | undefined;
    },
  ): Promise<Page<WebhookDeliveryView>> {
    await this.endpoints.one(accountId, id);
    const before = positionOf('deliveries', query.cursor, /^\d{1,18}$/)?.[0];
    const { state, limit } = query;
    const found = await this.store.list(this.db, id, { state, before, limit: limit + 1 });
    return pageOf('deliveries', found, limit, (delivery) => delivery.id);
  }

  /** Sends a delivery again soon, with tries for another day. @throws ProblemError NOT_FOUND */
  async replay(
    accountId: AccountId,
    id: WebhookId,
    delivery: string,
  ): Promise<WebhookDeliveryView> {
    await this.endpoints.one(accountId, id);
    await this.db.transaction(async (tx) => {
      if (!(await this.store.replay(tx, id, delivery)))
        throw new ProblemError('NOT_FOUND', 'There is no such delivery of this endpoint.');
      await this.wakeups.notify(tx, 'webhooks');
    });
    return this.view(id, delivery);
  }

  private async view(id: WebhookId, delivery: string): Promise<WebhookDeliveryView> {
    const [view] = await this.store.list(this.db, id, { id: delivery, limit: 1 });
    if (view === undefined) throw new ProblemError('NOT_FOUND', 'The endpoint was removed.');
    return view;
  }
}
