import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyWebhook, WebhookError } from './verify-webhook.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NOW_S = 1_900_000_000;
const BODY = JSON.stringify({
  type: 'job.succeeded',
  timestamp: '2030-03-17T17:46:40Z',
  data: { id: 'job_x' },
});

function sign(body: string, secret = SECRET, id = 'evt_1', seconds = NOW_S): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}

const received = (change: { body?: string; headers?: Record<string, string>; nowMs?: number }) => ({
  secret: SECRET,
  body: change.body ?? BODY,
  nowMs: change.nowMs ?? NOW_S * 1_000,
  headers: {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(NOW_S),
    'webhook-signature': sign(BODY),
    ...change.headers,
  },
});

test('the worked example of the Standard Webhooks specification has the signature it states', () => {
  expect(sign('{"test": 2432232314}', SECRET, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330)).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});

test('a signed message is read, also beside a signature of another secret', () => {
  expect(verifyWebhook(received({}))).toMatchObject({ id: 'evt_1', data: { id: 'job_x' } });
  const both = `${sign(BODY, 'whsec_AAAA')} ${sign(BODY)}`;
  const { type } = verifyWebhook(received({ headers: { 'webhook-signature': both } }));
  expect(type).toBe('job.succeeded');
});

test.each([
  ['another body', { body: BODY.replace('job_x', 'job_y') }],
  ['another id', { headers: { 'webhook-id': 'evt_2' } }],
  ['another time', { headers: { 'webhook-timestamp': String(NOW_S - 1) } }],
  ['another secret', { headers: { 'webhook-signature': sign(BODY, 'whsec_AAAA') } }],
  ['another scheme', { headers: { 'webhook-signature': sign(BODY).replace('v1,', 'v2,') } }],
  ['no signature', { headers: { 'webhook-signature': '' } }],
  ['a time that is none', { headers: { 'webhook-timestamp': 'soon' } }],
  ['an old message', { nowMs: (NOW_S + 301) * 1_000 }],
])('%s is refused', (_, change) => {
  expect(() => verifyWebhook(received(change))).toThrow(WebhookError);
});

test.each(['', 'whsec_'])('nothing is signed with the secret %j, which anybody has', (secret) => {
  const signature = createHmac('sha256', '').update(`evt_1.${NOW_S}.${BODY}`).digest('base64');
  const forged = received({ headers: { 'webhook-signature': `v1,${signature}` } });
  expect(() => verifyWebhook({ ...forged, secret })).toThrow(WebhookError);
});

test('a signed message that is not JSON is refused like any other', () => {
  const headers = { 'webhook-signature': sign('no JSON') };
  expect(() => verifyWebhook(received({ body: 'no JSON', headers }))).toThrow(WebhookError);
});
