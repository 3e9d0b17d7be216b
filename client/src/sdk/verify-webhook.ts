import { webhookSigned, WebhookMessage } from '@tidemill/protocol';
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A message whose clock is further off than this may be an old one that somebody sends again. */
const TOLERANCE_S = 5 * 60;

/** A webhook as your server received it. `body` is the exact text: parsed and printed again it has another signature. */
export interface ReceivedWebhook {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>> | Headers;
  readonly body: string;
  /** Now, in milliseconds. Default: the clock of this machine. */
  readonly nowMs?: number;
}

export interface VerifiedWebhook extends WebhookMessage {
  /** The same for every try and replay of one event: keep it to act once. */
  readonly id: string;
}

/** The message does not come from the network, or is too old. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/** The message, if this secret signed it within the last five minutes. @throws WebhookError */
export function verifyWebhook(received: ReceivedWebhook): VerifiedWebhook {
  const { body, headers, secret } = received;
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signatures = header(headers, 'webhook-signature');
  const seconds = Number(timestamp);
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookError('webhook-timestamp is not a time');
  if (Math.abs((received.nowMs ?? Date.now()) / 1_000 - seconds) > TOLERANCE_S)
    throw new WebhookError('the message is too old, or the clocks differ');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  // Anybody can sign with an empty key: a secret that was not configured must not let everything in.
  if (key.length === 0) throw new WebhookError('the secret is empty, or not base64');
  const wanted = createHmac('sha256', key)
    .update(webhookSigned(id, seconds, body))
    .digest();
  const isSigned = signatures.split(' ').some((one) => {
    const given = Buffer.from(one.startsWith('v1,') ? one.slice(3) : '', 'base64');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  if (!isSigned) throw new WebhookError('no signature is of this secret');
  const message = WebhookMessage.safeParse(parsed(body));
  if (!message.success) throw new WebhookError('the message has not the form of one');
  return { id, ...message.data };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new WebhookError('the message is not JSON', { cause });
  }
}

function header(headers: ReceivedWebhook['headers'], name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  if (typeof value !== 'string') throw new WebhookError(`the header ${name} is missing`);
  return value;
}
