import {
  encodeBase58,
  orderSigningBytes,
  type OwnerOrder,
  type WorkerId,
} from '@tidemill/protocol';
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Config } from '../config/env.js';
import { IdentityModule } from '../identity/identity.module.js';
import { startStages, type StageHost } from '../identity/testing/stage-host.js';
import { call } from '../identity/testing/wallet.js';
import { Ids } from '../platform/ids.js';
import { profileOf } from '../testing/stage-worker.js';
import { FleetModule } from './fleet.module.js';
import { FleetService, RetiredKeyError } from './fleet.service.js';

let host: StageHost;
beforeAll(async () => {
  host = await startStages([IdentityModule, FleetModule]);
});
afterAll(() => host.stop());

class Key {
  private readonly secret: KeyObject = generateKeyPairSync('ed25519').privateKey;
  readonly address = encodeBase58(
    createPublicKey(this.secret).export({ format: 'der', type: 'spki' }).subarray(-32),
  );

  sign(text: string): string {
    return encodeBase58(sign(null, orderSigningBytes(text), this.secret));
  }
}

const join = async (key: Key): Promise<WorkerId> => {
  const session = host.app.get(Ids).make('session');
  return (await host.app.get(FleetService).join(key.address, session, profileOf('pool'))).id;
};

type Wish<T = OwnerOrder> = T extends unknown
  ? Omit<T, 'network' | 'audience' | 'workerId' | 'issuedAtMs'>
  : never;
let lastMs = 0;

/** The text of an order, issued later than the one before unless said otherwise. */
function orderFor(workerId: WorkerId, wish: Wish, change: Partial<OwnerOrder> = {}): string {
  const { network, audience } = host.app.get(Config);
  lastMs = Math.max(lastMs + 1, host.clock.nowMs());
  return JSON.stringify({ ...wish, network, audience, workerId, issuedAtMs: lastMs, ...change });
}

const send = (id: WorkerId, order: string, by: Key, newSignature?: string) =>
  call(host, 'POST', `/v1/workers/${id}/orders`, {
    body: { order, signature: by.sign(order), ...(newSignature ? { newSignature } : {}) },
  });

const trailOf = async (id: WorkerId) =>
  (
    await host.db.query<{ kind: string }>(
      'SELECT kind FROM trail_events WHERE subject = $1 ORDER BY id',
      [id],
    )
  ).map(({ kind }) => kind);

test('a payout address changes a day after the key that is paid now has ordered it, and not before (G21)', async () => {
  const [key, first, second] = [new Key(), new Key(), new Key()];
  const id = await join(key);
  const asked = await send(id, orderFor(id, { order: 'payout', payout: first.address }), key);
  expect(asked.status).toBe(200);
  expect(asked.body).toMatchObject({
    payout: key.address,
    payoutChange: { payout: first.address },
  });
  const { at } = (asked.body as { payoutChange: { at: string } }).payoutChange;
  expect(Math.abs(Date.parse(at) - host.clock.nowMs() - 24 * 3_600_000)).toBeLessThan(60_000);

  await host.db.query('UPDATE workers SET payout_due_at = clock_timestamp() WHERE id = $1', [id]);
  const look = async () =>
    (await send(id, orderFor(id, { order: 'look' }), key)).body as { payout: string };
  await expect.poll(async () => (await look()).payout, { timeout: 20_000 }).toBe(first.address);

  // From now on the worker's own key may not say where its earnings go.
  const stolen = await send(id, orderFor(id, { order: 'payout', payout: second.address }), key);
  expect(stolen).toMatchObject({ status: 403, body: { code: 'ORDER_REFUSED' } });
  const right = await send(id, orderFor(id, { order: 'payout', payout: second.address }), first);
  expect(right.body).toMatchObject({ payoutChange: { payout: second.address } });
  const off = await send(id, orderFor(id, { order: 'payout', payout: first.address }), first);
  expect(off.body).toMatchObject({ payout: first.address, payoutChange: null });
  expect(await trailOf(id)).toEqual([
    'worker.joined',
    'worker.payout-ordered',
    'worker.payout-changed',
    'worker.payout-ordered',
    'worker.payout-ordered',
  ]);
});

test('a worker keeps its id and its history under a new key, and the old one logs in nobody any more (G21)', async () => {
  const [old, fresh] = [new Key(), new Key()];
  const id = await join(old);
  const order = orderFor(id, { order: 'key', publicKey: fresh.address });
  expect(await send(id, order, old)).toMatchObject({ status: 403 });
  expect(await send(id, order, old, old.sign(order))).toMatchObject({ status: 403 });
  const changed = await send(id, order, old, fresh.sign(order));
  expect(changed).toMatchObject({ status: 200, body: { publicKey: fresh.address } });

  expect(await join(fresh)).toBe(id);
  await expect(join(old)).rejects.toBeInstanceOf(RetiredKeyError);
  const back = orderFor(id, { order: 'key', publicKey: old.address });
  expect(await send(id, back, fresh, old.sign(back))).toMatchObject({
    status: 409,
    body: { code: 'CONFLICT' },
  });
  expect(await trailOf(id)).toEqual(['worker.joined', 'worker.key-changed']);
});

test('an order counts once, for its worker and network, and only while it is new', async () => {
  const key = new Key();
  const id = await join(key);
  const other = await join(new Key());
  const payout = new Key().address;
  const order = orderFor(id, { order: 'payout', payout });
  expect(await send(id, order, key)).toMatchObject({ status: 200 });
  const refused = { status: 403, body: { code: 'ORDER_REFUSED' } };
  expect(await send(id, order, key)).toMatchObject(refused);
  expect(await send(other, order, key)).toMatchObject(refused);
  for (const change of [
    { network: 'elsewhere' },
    { audience: 'elsewhere' },
    { workerId: other },
    { issuedAtMs: host.clock.nowMs() - 11 * 60_000 },
    { issuedAtMs: host.clock.nowMs() + 11 * 60_000 },
  ]) {
    const wrong = orderFor(id, { order: 'payout', payout }, change);
    expect(await send(id, wrong, key)).toMatchObject(refused);
  }
  expect(await send(id, '{"order":"everything"}', key)).toMatchObject(refused);
});

test('prices and demand are shown to everybody, and earnings by periods', async () => {
  for (const cpuHour of ['10', '30', '20'])
    await host.app.get(FleetService).join(new Key().address, host.app.get(Ids).make('session'), {
      ...profileOf('market'),
      capabilities: {
        ...profileOf('market').capabilities,
        runtimes: [{ name: 'noop', class: 'noop/market' }],
      },
      asks: { gpuHour: '0', cpuHour },
    });
  const { body } = await call(host, 'GET', '/v1/market');
  const { classes } = body as { classes: { class: string }[] };
  expect(classes.find((one) => one.class === 'noop/market')).toEqual({
    runtime: 'noop',
    class: 'noop/market',
    workers: 3,
    slots: 3 * 64,
    cpuHour: { low: '10', median: '20', high: '30' },
    gpuHour: null,
  });
  const id = await join(new Key());
  expect(await call(host, 'GET', `/v1/workers/${id}/earnings?by=month`)).toMatchObject({
    status: 200,
    body: { by: 'month', items: [], total: '0' },
  });
  const nobody = host.app.get(Ids).make('worker');
  expect((await call(host, 'GET', `/v1/workers/${nobody}/earnings`)).status).toBe(404);
});
