import { type Api, bodyOf } from './api.js';
import { everyItem, type Page, type Paging } from './pages.js';
import type { Webhook, WebhookDelivery, WebhookEvent, WebhookWithSecret } from './types.js';

/** Endpoints of the account, and what was sent to them. */
export class Webhooks {
  constructor(private readonly api: Api) {}

  /** An endpoint for jobs submitted from now on; its secret is shown this once. Without events it hears of everything. */
  async create(url: string, events: readonly WebhookEvent[] = []): Promise<WebhookWithSecret> {
    return bodyOf(await this.api.POST('/v1/webhooks', { body: { url, events: [...events] } }));
  }

  list(): AsyncGenerator<Webhook> {
    return everyItem(async (paging) =>
      bodyOf(await this.api.GET('/v1/webhooks', { params: { query: paging } })),
    );
  }

  /** Pauses an endpoint, takes it up again, or changes what it hears of. */
  async change(
    id: string,
    change: { readonly events?: readonly WebhookEvent[]; readonly enabled?: boolean },
  ): Promise<Webhook> {
    const { events, ...rest } = change;
    const body = { ...rest, ...(events === undefined ? {} : { events: [...events] }) };
    return bodyOf(await this.api.PATCH('/v1/webhooks/{id}', { params: { path: { id } }, body }));
  }

  /** A new secret; messages carry the signature of the one before as well for a day. */
  async rotate(id: string): Promise<WebhookWithSecret> {
    return bodyOf(await this.api.POST('/v1/webhooks/{id}/rotate', { params: { path: { id } } }));
  }

  async remove(id: string): Promise<void> {
    await this.api.DELETE('/v1/webhooks/{id}', { params: { path: { id } } });
  }

  /** Sends a message of type `webhook.test` and says how it went. */
  async test(id: string): Promise<WebhookDelivery> {
    return bodyOf(await this.api.POST('/v1/webhooks/{id}/test', { params: { path: { id } } }));
  }

  /** What was sent and how it went, newest first. */
  async deliveries(
    id: string,
    filter: Paging & { readonly state?: WebhookDelivery['state'] } = {},
  ): Promise<Page<WebhookDelivery>> {
    const params = { path: { id }, query: filter };
    return bodyOf(await this.api.GET('/v1/webhooks/{id}/deliveries', { params }));
  }

  /** Sends a delivery again, under the same `webhook-id`. */
  async replay(id: string, delivery: string): Promise<WebhookDelivery> {
    const params = { path: { id, delivery } };
    return bodyOf(
      await this.api.POST('/v1/webhooks/{id}/deliveries/{delivery}/replay', { params }),
    );
  }
}
