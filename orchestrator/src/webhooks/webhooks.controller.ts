import { Controller } from '@nestjs/common';
import type { WebhookDeliveryView, WebhookView, WebhookWithSecret } from '@tidemill/protocol';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import type { Page } from '../platform/http/page.js';
import { DeliveriesService } from './deliveries.service.js';
import { EndpointsService } from './endpoints.service.js';

@Controller()
export class WebhooksController {
  constructor(
    private readonly endpoints: EndpointsService,
    private readonly deliveries: DeliveriesService,
  ) {}

  @Operation('createWebhook')
  create(@Input() { caller, body }: InputOf<'createWebhook'>): Promise<WebhookWithSecret> {
    return this.endpoints.create(accountOf(caller).accountId, body.url, body.events ?? []);
  }

  @Operation('listWebhooks')
  list(@Input() { caller, query }: InputOf<'listWebhooks'>): Promise<Page<WebhookView>> {
    return this.endpoints.list(accountOf(caller).accountId, query.cursor, query.limit);
  }

  @Operation('changeWebhook')
  change(@Input() { caller, params, body }: InputOf<'changeWebhook'>): Promise<WebhookView> {
    const { accountId } = accountOf(caller);
    return this.endpoints.change(accountId, params.id, body.events, body.enabled);
  }

  @Operation('rotateWebhookSecret')
  rotate(@Input() { caller, params }: InputOf<'rotateWebhookSecret'>): Promise<WebhookWithSecret> {
    return this.endpoints.rotate(accountOf(caller).accountId, params.id);
  }

  @Operation('deleteWebhook')
  remove(@Input() { caller, params }: InputOf<'deleteWebhook'>): Promise<void> {
    return this.endpoints.remove(accountOf(caller).accountId, params.id);
  }

  @Operation('testWebhook')
  test(@Input() { caller, params }: InputOf<'testWebhook'>): Promise<WebhookDeliveryView> {
    return this.deliveries.test(accountOf(caller).accountId, params.id);
  }

  @Operation('listWebhookDeliveries')
  log(
    @Input() { caller, params, query }: InputOf<'listWebhookDeliveries'>,
  ): Promise<Page<WebhookDeliveryView>> {
    return this.deliveries.list(accountOf(caller).accountId, params.id, query);
  }

  @Operation('replayWebhookDelivery')
  replay(
    @Input() { caller, params }: InputOf<'replayWebhookDelivery'>,
  ): Promise<WebhookDeliveryView> {
    return this.deliveries.replay(accountOf(caller).accountId, params.id, params.delivery);
  }
}
