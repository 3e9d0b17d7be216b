import { z } from 'zod';
import { Money } from './money.js';
import { WebhookId } from './ids.js';

/** What an endpoint can hear of. */
export const WEBHOOK_EVENTS = [
  'job.running',
  'job.hold-low',
  'job.succeeded',
  'job.failed',
  'job.cancelled',
  'job.expired',
  'balance.low',
  'key.created',
  'key.revoked',
  'worker.online',
  'worker.draining',
  'worker.offline',
  'worker.suspended',
] as const;

/** Sent when asked for, whatever the endpoint listens to. */
export const WEBHOOK_TEST = 'webhook.test';

/** Most endpoints of one account: every event is a row for each. */
export const MAX_WEBHOOKS = 20;

const time = z.iso.datetime();

const url = z
  .string()
  .max(2048)
  .refine((text) => /^https?:\/\/[^\s@#]+$/.test(text), {
    message: 'an https address without a user, a password or a fragment',
  });

const events = z
  .array(z.enum(WEBHOOK_EVENTS))
  .max(WEBHOOK_EVENTS.length)
  .meta({ description: 'What to hear of; everything when empty.' });

export const CreateWebhookRequest = z
  .strictObject({ url, events: events.optional() })
  .meta({ id: 'CreateWebhookRequest' });

export const ChangeWebhookRequest = z
  .strictObject({
    events: events.optional(),
    enabled: z
      .boolean()
      .optional()
      .meta({ description: 'True takes one up again that was given up.' }),
  })
  .meta({ id: 'ChangeWebhookRequest' });

export const WebhookView = z
  .object({
    id: WebhookId,
    url: z.string(),
    events: z.array(z.enum(WEBHOOK_EVENTS)),
    enabled: z.boolean(),
    createdAt: time,
    failingSince: time.nullable().meta({ description: 'Since when nothing arrived.' }),
    disabledAt: time.nullable(),
  })
  .meta({ id: 'Webhook' });
export type WebhookView = z.infer<typeof WebhookView>;

export const WebhookWithSecret = WebhookView.extend({
  secret: z.string().meta({ description: 'whsec_… in base64. Shown once.' }),
  previousUntil: time
    .nullable()
    .meta({ description: 'Until then messages carry the signature of the secret before as well.' }),
}).meta({ id: 'WebhookWithSecret' });
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

export const WebhookPage = z
  .object({ items: z.array(WebhookView), nextCursor: z.string().nullable() })
  .meta({ id: 'WebhookPage' });

export const WEBHOOK_DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;

export const WebhookDeliveryView = z
  .object({
    id: z.string(),
    event: z.string().meta({ description: 'The webhook-id of the message; the same in a replay.' }),
    type: z.string(),
    at: time,
    state: z.enum(WEBHOOK_DELIVERY_STATES),
    nextTryAt: time.nullable(),
    tries: z.array(
      z.object({
        number: z.int(),
        at: time,
        ms: z.int(),
        status: z.int().nullable(),
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDeliveryView = z.infer<typeof WebhookDeliveryView>;
export const WebhookDeliveryPage = z
  .object({ items: z.array(WebhookDeliveryView), nextCursor: z.string().nullable() })
  .meta({ id: 'WebhookDeliveryPage' });

/** What an endpoint is sent, as JSON. */
export const WebhookMessage = z
  .object({ type: z.string(), timestamp: time, data: z.record(z.string(), z.unknown()) })
  .meta({ id: 'WebhookMessage' });
export type WebhookMessage = z.infer<typeof WebhookMessage>;

/** The text that a message's signature covers, as the Standard Webhooks specification says. */
export const webhookSigned = (id: string, timestampS: number, body: string): string =>
  `${id}.${timestampS}.${body}`;

export const BalanceWarning = z
  .strictObject({
    below: Money.nullable().meta({ description: 'Null: no warning.' }),
  })
  .meta({ id: 'BalanceWarning' });
