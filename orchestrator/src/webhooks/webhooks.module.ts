import { Module } from '@nestjs/common';
import { TrailModule } from '../trail/trail.module.js';
import { DeliveriesLoop } from './deliveries.loop.js';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveriesStore } from './deliveries.store.js';
import { EndpointsService } from './endpoints.service.js';
import { EndpointsStore } from './endpoints.store.js';
import { HttpSender, Sender } from './sender.js';
import { PgDeliveriesStore } from './pg-deliveries.store.js';
import { PgEndpointsStore } from './pg-endpoints.store.js';
import { TargetRules } from './target-rules.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhooksController } from './webhooks.controller.js';

/**
 * Webhooks: submitters hear what happened without asking.
 *
 * Reads:    webhook_deliveries, which triggers write in the transaction of the event.
 * Writes:   endpoints; what became of each delivery.
 * Promises: an event that was committed is sent at least once a day long, signed, and to nobody inside the operator's network.
 */
@Module({
  imports: [TrailModule],
  controllers: [WebhooksController],
  providers: [
    { provide: EndpointsStore, useClass: PgEndpointsStore },
    { provide: DeliveriesStore, useClass: PgDeliveriesStore },
    { provide: Sender, useClass: HttpSender },
    DeliveriesLoop,
    DeliveriesService,
    EndpointsService,
    TargetRules,
    WebhookSecrets,
  ],
})
export class WebhooksModule {}
