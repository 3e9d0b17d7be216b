import type { WebhookEvent } from './testing/receiver.js';
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { FleetService } from '../fleet/fleet.service.js';
import { StageWorker } from '../testing/stage-worker.js';
import { noopJob, startNetwork } from '../testing/network.js';
import { eventually } from '../testing/eventually.js';
import { startReceiver, type Receiver } from './testing/receiver.js';

let host: StageHost;
let receiver: Receiver;

beforeAll(async () => {
  host = await startNetwork({ env: { TIDEMILL_WEBHOOK_TARGETS: 'any' } });
  receiver = await startReceiver();
});
afterAll(async () => {
  await host.stop();
  await receiver.close();
});

/** A submitter with an endpoint of its own path. */
async function aListener(events?: string[]) {
  const wallet = aWallet();
  await host.app.get(AccountsService).credit(wallet.address, '1000', wallet.address.slice(0, 20));
  const { token, accountId } = await login(host, wallet);
  const ask = (method: string, path: string, body?: object) =>
    call(host, method, path, { token, ...(body === undefined ? {} : { body }) });
  const path = `/${accountId}`;
  const { status, body } = await ask('POST', '/v1/webhooks', {
    url: receiver.url + path,
    ...(events === undefined ? {} : { events }),
  });
  expect(status).toBe(201);
  const submit = async () =>
    (await ask('POST', '/v1/jobs', { ...noopJob('nobody'), labels: { team: 'x' } })).body.id;
  const cancel = async (id: string) => {
    await ask('POST', `/v1/jobs/${id}/cancel`);
  };
  const got = (count: number): Promise<WebhookEvent[]> => receiver.got(path, count);
  const log = async () => (await ask('GET', `/v1/webhooks/${body.id}/deliveries`)).body.items;
  return {
    ask,
    accountId,
    wallet: wallet.address,
    path,
    id: body.id,
    secret: body.secret,
    submit,
    cancel,
    got,
    log,
  };
}

const dueNow = (endpoint: string) =>
  host.db.query(
    'UPDATE webhook_deliveries SET next_at = clock_timestamp() WHERE endpoint_id = $1',
    [endpoint],
  );

function signatureOf(secret: string, { headers, text }: WebhookEvent): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

describe('an endpoint', () => {
  test('is sent what happens to a job, signed', async () => {
    const one = await aListener(['job.cancelled']);
    const id = await one.submit();
    await one.cancel(id);
    const [event] = await one.got(1);
    expect(JSON.parse(event?.text ?? '')).toMatchObject({
      type: 'job.cancelled',
      data: { id, state: 'cancelled', labels: { team: 'x' }, reason: { code: 'CANCELLED' } },
    });
    expect(event && event.headers['webhook-signature']).toBe(
      event && signatureOf(one.secret, event),
    );
    const log = await until(one.log, ([first]) => first?.state === 'delivered');
    expect(log[0]).toMatchObject({ type: 'job.cancelled', tries: [{ number: 1, status: 200 }] });
  });

  test('hears of nothing it did not ask for, and its account alone is heard of', async () => {
    const one = await aListener(['job.failed']);
    const other = await aListener();
    await one.cancel(await one.submit());
    await other.cancel(await other.submit());
    await other.got(1);
    expect(await one.log()).toEqual([]);
    expect((await call(host, 'GET', `/v1/webhooks/${one.id}/deliveries`)).status).toBe(401);
    expect((await other.ask('GET', `/v1/webhooks/${one.id}/deliveries`)).status).toBe(404);
    expect((await other.ask('DELETE', `/v1/webhooks/${one.id}`)).status).toBe(404);
  });

  test('that fails is tried again under the same id', async () => {
    const one = await aListener();
    receiver.answer(one.path, 500);
    await one.cancel(await one.submit());
    const [first] = await one.got(1);
    await until(one.log, ([delivery]) => delivery?.tries.length === 1);
    const [waiting] = await one.log();
    expect(waiting).toMatchObject({ state: 'pending', tries: [{ error: 'answered 500' }] });
    receiver.answer(one.path, 200);
    await dueNow(one.id);
    const [, second] = await one.got(2);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    const log = await until(one.log, ([delivery]) => delivery?.state === 'delivered');
    expect(log[0]?.tries).toHaveLength(2);
  });

  test('where nothing arrived for days is given up with what waits, until it is taken up again', async () => {
    const one = await aListener();
    receiver.answer(one.path, 503);
    await host.db.query(
      `UPDATE webhook_endpoints SET failing_since = clock_timestamp() - interval '6 days' WHERE id = $1`,
      [one.id],
    );
    await one.cancel(await one.submit());
    await until(one.log, ([delivery]) => delivery?.state === 'failed');
    const listed = await one.ask('GET', '/v1/webhooks');
    expect(listed.body.items[0]).toMatchObject({ enabled: false });
    await one.cancel(await one.submit());
    expect(await one.log()).toHaveLength(1);
    receiver.answer(one.path, 200);
    const { body } = await one.ask('PATCH', `/v1/webhooks/${one.id}`, { enabled: true });
    expect(body).toMatchObject({ enabled: true, failingSince: null });
    const [delivery] = await one.log();
    await one.ask('POST', `/v1/webhooks/${one.id}/deliveries/${delivery?.id}/replay`);
    await until(one.log, ([again]) => again?.state === 'delivered');
  });

  test('signs with both secrets for a day after a rotation', async () => {
    const one = await aListener();
    const { body } = await one.ask('POST', `/v1/webhooks/${one.id}/rotate`);
    expect(body.secret).not.toBe(one.secret);
    await one.ask('POST', `/v1/webhooks/${one.id}/test`);
    const [event] = await one.got(1);
    expect(event?.headers['webhook-signature']?.split(' ')).toEqual(
      event && [signatureOf(body.secret, event), signatureOf(one.secret, event)],
    );
    await host.db.query(
      `UPDATE webhook_endpoints SET previous_until = clock_timestamp() - interval '1 second' WHERE id = $1`,
      [one.id],
    );
    await one.ask('POST', `/v1/webhooks/${one.id}/test`);
    const [, later] = await one.got(2);
    expect(later?.headers['webhook-signature']).toBe(later && signatureOf(body.secret, later));
  });

  test('a test says how it went and is not tried again', async () => {
    const one = await aListener();
    receiver.answer(one.path, 418);
    const { body } = await one.ask('POST', `/v1/webhooks/${one.id}/test`);
    expect(body).toMatchObject({ type: 'webhook.test', state: 'failed', tries: [{ status: 418 }] });
  });

  test('hears of keys and of a balance that falls below what was asked for', async () => {
    const one = await aListener(['key.created', 'key.revoked', 'balance.low']);
    const key = await one.ask('POST', '/v1/keys', { name: 'ci', scopes: ['jobs:read'] });
    await one.ask('DELETE', `/v1/keys/${key.body.id}`);
    const account = await one.ask('PUT', '/v1/account/warning', { below: '999.5' });
    expect(account.body.warnBelow).toBe('999500000');
    await one.submit();
    await one.submit();
    const events = (await one.got(3)).map(({ text }) => JSON.parse(text));
    expect(events.map(({ type }) => type).sort()).toEqual([
      'balance.low',
      'key.created',
      'key.revoked',
    ]);
    expect(events.find(({ type }) => type === 'balance.low').data).toEqual({
      available: '999000000',
      threshold: '999500000',
    });
    expect(await one.log()).toHaveLength(3);
  });

  test('hears how the workers are that pay to its wallet, and of no others', async () => {
    const one = await aListener(['worker.online', 'worker.offline', 'worker.suspended']);
    const worker = await StageWorker.join(host, 'noticed', { payout: one.wallet });
    const other = await StageWorker.join(host, 'noticed');
    const fleet = host.app.get(FleetService);
    for (const { id } of [worker, other]) await fleet.suspend(id, true);
    await fleet.suspend(worker.id, false);
    await worker.rejoin();
    const events = (await one.got(3)).map(({ text }) => JSON.parse(text));
    expect(events.map(({ type }) => type).sort()).toEqual([
      'worker.offline',
      'worker.online',
      'worker.suspended',
    ]);
    for (const { data } of events) expect(data).toMatchObject({ id: worker.id, name: 'noticed' });
    expect(await one.log()).toHaveLength(3);
  });

  test('is refused where it cannot be one, and there are not too many', async () => {
    const one = await aListener();
    for (const url of ['ftp://x.example', 'https://user@x.example', 'nonsense'])
      expect((await one.ask('POST', '/v1/webhooks', { url })).status, url).toBe(422);
    for (let i = 1; i < 20; i += 1)
      expect((await one.ask('POST', '/v1/webhooks', { url: receiver.url })).status).toBe(201);
    const { body } = await one.ask('POST', '/v1/webhooks', { url: receiver.url });
    expect(body.code).toBe('CONFLICT');
  });
});

test('an event whose transaction is rolled back is nowhere, and an account without endpoints has no rows', async () => {
  const one = await aListener();
  const id = await one.submit();
  const undone = host.db.transaction(async (tx) => {
    await tx.query(`UPDATE jobs SET state = 'failed' WHERE id = $1`, [id]);
    expect(await tx.query(OF_ENDPOINT, [one.id])).toHaveLength(1);
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  await one.ask('DELETE', `/v1/webhooks/${one.id}`);
  await one.cancel(id);
  await one.cancel(await one.submit());
  expect(await host.db.query(OF_ENDPOINT, [one.id])).toEqual([]);
});

const OF_ENDPOINT = 'SELECT id FROM webhook_deliveries WHERE endpoint_id = $1';

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  let value = await read();
  await eventually(
    () => `not so: ${JSON.stringify(value)}`,
    async () => {
      value = await read();
      return holds(value);
    },
  );
  return value;
}
