import { encodeBase58, type SessionId, type WorkerId } from '@tidemill/protocol';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdentityModule } from '../identity/identity.module.js';
import { startStages, type StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { Ids } from '../platform/ids.js';
import { profileOf } from '../testing/stage-worker.js';
import { FleetModule } from './fleet.module.js';
import { FleetService } from './fleet.service.js';

let host: StageHost;
let fleet: FleetService;
const admin = aWallet();

beforeAll(async () => {
  host = await startStages([IdentityModule, FleetModule], { admins: [admin.address] });
  fleet = host.app.get(FleetService);
});
afterAll(() => host.stop());

function aKey(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  return encodeBase58(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
}
const aSession = () => host.app.get(Ids).make('session');
async function aWorker(key = aKey()): Promise<{ id: WorkerId; session: SessionId; key: string }> {
  const session = aSession();
  const { id } = await fleet.join(key, session, profileOf('pool'));
  return { id, session, key };
}
const stateOf = async (id: WorkerId) => (await fleet.one(id)).state;
const endTerm = (id: WorkerId) =>
  host.db.query(
    `UPDATE workers SET lease_until = clock_timestamp() - interval '1 s' WHERE id = $1`,
    [id],
  );
const untilLost = (id: WorkerId) =>
  expect.poll(() => stateOf(id), { timeout: 10_000 }).toBe('lost');

const PUBLIC = [
  'asks',
  'capabilities',
  'earned',
  'id',
  'joinedAt',
  'lastSeenAt',
  'name',
  'operator',
  'pending',
  'publicKey',
  'resources',
  'results',
  'running',
  'slots',
  'state',
];

test('a key with a part of small order does not become a worker, though its signatures verify (G21)', async () => {
  const { mixedOrder } = JSON.parse(
    readFileSync(new URL('../../../protocol/vectors/ed25519-keys.json', import.meta.url), 'utf8'),
  ) as { mixedOrder: { hex: string }[] };
  for (const { hex } of mixedOrder) {
    const key = encodeBase58(Buffer.from(hex, 'hex'));
    await expect(fleet.join(key, aSession(), profileOf('pool'))).rejects.toMatchObject({
      code: 'KEY_UNSOUND',
    });
    expect(await host.db.query('SELECT 1 FROM workers WHERE public_key = $1', [key])).toEqual([]);
  }
  expect(mixedOrder).toHaveLength(7);
});

test('anybody may see a worker, and sees nothing that is between it and the network', async () => {
  const payout = aKey();
  const session = aSession();
  const { id } = await fleet.join(aKey(), session, profileOf('shown', { payout }));
  const one = await call(host, 'GET', `/v1/workers/${id}`);
  const list = await call(host, 'GET', '/v1/workers?limit=200');
  const listed = list.body.items.find((item: { id: string }) => item.id === id);
  for (const view of [one.body, listed]) {
    expect(Object.keys(view).sort()).toEqual(PUBLIC);
    expect(JSON.stringify(view)).not.toContain(payout);
    expect(JSON.stringify(view)).not.toContain(session);
  }
  const trail = await host.db.query<{ body: string }>(
    `SELECT body FROM trail_events WHERE subject = $1`,
    [id],
  );
  expect(trail).toHaveLength(1);
  expect(JSON.stringify(trail)).not.toContain(payout);
});

test('a key is one worker, however often it joins, and is paid where it first said', async () => {
  const key = aKey();
  const [first, second] = [aKey(), aKey()];
  const made = await fleet.join(key, aSession(), profileOf('a', { payout: first }));
  const again = await fleet.join(key, aSession(), profileOf('b', { payout: second }));
  expect(again.id).toBe(made.id);
  expect((await fleet.one(made.id)).name).toBe('b');
  const [row] = await host.db.query('SELECT payout FROM workers WHERE id = $1', [made.id]);
  expect(row).toEqual({ payout: first });
});

test('only the newest session changes the profile', async () => {
  const { id, session, key } = await aWorker();
  await fleet.join(key, aSession(), profileOf('new'));
  await fleet.updateProfile(id, session, profileOf('old'));
  expect((await fleet.one(id)).name).toBe('new');
});

test('a worker is lost when its term ends, and is online again with its next login', async () => {
  const { id, session, key } = await aWorker();
  await endTerm(id);
  await untilLost(id);
  expect(await fleet.heard([{ id, session, agoMs: 0 }])).toEqual(new Map([[session, 'silent']]));
  expect(await stateOf(id)).toBe('lost');
  await aWorker(key);
  expect(await stateOf(id)).toBe('online');
});

test('a sign of life of an older session renews nothing', async () => {
  const { id, session, key } = await aWorker();
  const newer = await aWorker(key);
  expect(await fleet.heard([{ id, session, agoMs: 0 }])).toEqual(new Map([[session, 'replaced']]));
  expect(await fleet.heard([{ ...newer, agoMs: 0 }])).toEqual(new Map());
});

test('a closed socket leaves a few seconds, unless a newer one is there', async () => {
  const leftMs = async (id: WorkerId) => {
    const [row] = await host.db.query<{ ms: number }>(
      'SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 * 1000 AS ms FROM workers WHERE id = $1',
      [id],
    );
    return row?.ms ?? 0;
  };
  const { id, session, key } = await aWorker();
  await fleet.disconnected(id, session);
  expect(await leftMs(id)).toBeLessThanOrEqual(3_000);
  await aWorker(key);
  await fleet.disconnected(id, session);
  expect(await leftMs(id)).toBeGreaterThan(10_000);
});

test('the operator drains a worker; nobody else does', async () => {
  const { id } = await aWorker();
  const { token } = await login(host, admin);
  const stranger = await login(host, aWallet());
  const path = `/v1/admin/workers/${id}/drain`;
  expect((await call(host, 'POST', path, { token: stranger.token })).status).toBe(403);
  expect(await stateOf(id)).toBe('online');
  const drained = await call(host, 'POST', path, { token });
  expect([drained.status, drained.body.state]).toEqual([200, 'draining']);
  const none = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  expect((await call(host, 'POST', `/v1/admin/workers/${none}/drain`, { token })).status).toBe(404);
});

test('a suspended worker stays so, whether it logs in or drains', async () => {
  const { id, key } = await aWorker();
  await host.db.query(`UPDATE workers SET state = 'suspended' WHERE id = $1`, [id]);
  await fleet.drain(id);
  expect(await stateOf(id)).toBe('suspended');
  await aWorker(key);
  expect(await stateOf(id)).toBe('suspended');
});

test('the list is read in pages and by state', async () => {
  await Promise.all(Array.from({ length: 3 }, () => aWorker()));
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const { body } = await call(host, 'GET', `/v1/workers?limit=2${cursor}`);
    seen.push(...body.items.map((item: { id: string }) => item.id));
    if (body.nextCursor === null) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  const [count] = await host.db.query<{ n: bigint }>('SELECT count(*) AS n FROM workers');
  expect([new Set(seen).size, seen.length]).toEqual([Number(count?.n), seen.length]);
  const draining = await call(host, 'GET', '/v1/workers?state=draining');
  expect(new Set(draining.body.items.map((item: { state: string }) => item.state))).toEqual(
    new Set(['draining']),
  );
  const wrong = await call(host, 'GET', '/v1/workers?cursor=nonsense');
  expect([wrong.status, wrong.body.code]).toEqual([422, 'CURSOR_INVALID']);
});
