import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toCursor } from '../platform/http/page.js';
import { Config } from '../config/env.js';
import { PgDb } from '../platform/db/pg-db.js';
import { pino } from 'pino';
import { Wakeups } from '../platform/wakeups.js';
import { IdentityLoop } from './identity.loop.js';
import { IdentityModule } from './identity.module.js';
import { MAX_KEYS_OF_ACCOUNT } from './keys.service.js';
import { startStages, type StageHost } from './testing/stage-host.js';
import { aWallet, call, login } from './testing/wallet.js';
import { REMEMBERED_MS, TokenAuthenticator } from './token-authenticator.js';

let host: StageHost;

beforeAll(async () => {
  host = await startStages([IdentityModule]);
});
afterAll(() => host.stop());

const create = (token: string, body: object) => call(host, 'POST', '/v1/keys', { token, body });
const list = (token: string, query = '') => call(host, 'GET', `/v1/keys${query}`, { token });
const revoke = (token: string, id: string) => call(host, 'DELETE', `/v1/keys/${id}`, { token });
const aLogin = async () => (await login(host, aWallet())).token;

describe('an API key', () => {
  test('is shown once and kept as a hash', async () => {
    const token = await aLogin();
    const { status, body } = await create(token, {
      name: 'ci',
      scopes: ['jobs:read', 'keys:write'],
    });
    expect(status).toBe(201);
    expect(body.key).toMatch(/^tmk_[\w-]{43}$/);
    expect(body.key.startsWith(body.prefix)).toBe(true);
    const { key: _, ...shown } = body;
    expect((await list(token)).body).toEqual({ items: [shown], nextCursor: null });
    const [row] = await host.db.query<{ line: string }>(
      'SELECT api_keys::text AS line FROM api_keys WHERE id = $1',
      [body.id],
    );
    expect(row?.line).not.toContain(body.key.slice(10));
    expect((await list(body.key)).status).toBe(200);
  });

  test('has only the scopes it was made with', async () => {
    const { body } = await create(await aLogin(), { name: 'reader', scopes: ['jobs:read'] });
    const refused = await list(body.key);
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
  });

  test('cannot make one with a scope it lacks', async () => {
    const { body } = await create(await aLogin(), { name: 'narrow', scopes: ['keys:write'] });
    const refused = await create(body.key, { name: 'wide', scopes: ['keys:write', 'jobs:write'] });
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
    expect(refused.body.detail).toContain('jobs:write');
    expect((await create(body.key, { name: 'as narrow', scopes: ['keys:write'] })).status).toBe(
      201,
    );
  });

  test('ends when it expires', async () => {
    const expiresAt = new Date(host.clock.nowMs() + 5_000).toISOString();
    const { body } = await create(await aLogin(), {
      name: 'short',
      scopes: ['keys:write'],
      expiresAt,
    });
    expect((await list(body.key)).status).toBe(200);
    host.clock.advance(5_000);
    expect((await list(body.key)).status).toBe(401);
  });

  test('cannot be made with an end in the past', async () => {
    const expiresAt = new Date(host.clock.nowMs() - 1).toISOString();
    const refused = await create(await aLogin(), {
      name: 'past',
      scopes: ['keys:write'],
      expiresAt,
    });
    expect([refused.status, refused.body.code]).toEqual([422, 'VALIDATION_FAILED']);
  });

  test('ends at once where it is revoked; revoking twice is revoking once', async () => {
    const token = await aLogin();
    const { body } = await create(token, { name: 'lost', scopes: ['keys:write'] });
    expect((await list(body.key)).status).toBe(200);
    expect([(await revoke(token, body.id)).status, (await revoke(token, body.id)).status]).toEqual([
      204, 204,
    ]);
    expect((await list(body.key)).status).toBe(401);
    expect((await list(token)).body.items).toEqual([]);
    const events = await host.db.query(
      'SELECT kind FROM trail_events WHERE subject = $1 ORDER BY id',
      [body.id],
    );
    expect(events).toEqual([{ kind: 'key.created' }, { kind: 'key.revoked' }]);
  });

  test('that another replica revoked ends within seconds', async () => {
    const { body } = await create(await aLogin(), { name: 'elsewhere', scopes: ['keys:write'] });
    expect((await list(body.key)).status).toBe(200);
    await host.db.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [body.id]);
    host.clock.advance(REMEMBERED_MS);
    expect((await list(body.key)).status).toBe(401);
  });

  test('of another account can neither be seen nor revoked', async () => {
    const [mine, theirs] = [await aLogin(), await aLogin()];
    const { body } = await create(mine, { name: 'private', scopes: ['keys:write'] });
    expect((await list(theirs)).body.items).toEqual([]);
    const foreign = await revoke(theirs, body.id);
    const absent = await revoke(theirs, 'key_01890a5d000000000000000000');
    expect([foreign.status, foreign.body.detail]).toEqual([404, absent.body.detail]);
    expect((await list(theirs, `?cursor=${toCursor('keys', body.id)}`)).body.items).toEqual([]);
    expect((await list(body.key)).status).toBe(200);
  });

  test('shows when it was last used, to the minute', async () => {
    const token = await aLogin();
    const { body } = await create(token, { name: 'used', scopes: ['keys:write'] });
    await list(body.key);
    await host.app.get(IdentityLoop).turn();
    const lastUsedAt = (await list(token)).body.items[0].lastUsedAt;
    expect(host.clock.nowMs() - Date.parse(lastUsedAt)).toBeLessThan(60_000);
    expect(host.app.get(TokenAuthenticator).takeUses().size).toBe(0);
  });
});

describe('a list of keys', () => {
  test('comes in pages that miss and repeat none', async () => {
    const token = await aLogin();
    for (let i = 0; i < 5; i += 1) await create(token, { name: `key ${i}`, scopes: ['jobs:read'] });
    const names: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await list(token, `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      names.push(...body.items.map(({ name }: { name: string }) => name));
      cursor = body.nextCursor;
    }
    expect(names).toEqual(['key 0', 'key 1', 'key 2', 'key 3', 'key 4']);
    expect((await list(token, '?cursor=elsewhere')).body.code).toBe('CURSOR_INVALID');
  });

  test('has a bound, which holds against many requests at once', async () => {
    const token = await aLogin();
    const asked = Array.from({ length: MAX_KEYS_OF_ACCOUNT + 5 }, (_, i) =>
      create(token, { name: `key ${i}`, scopes: ['jobs:read'] }),
    );
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(MAX_KEYS_OF_ACCOUNT);
    expect(answers.filter(({ body }) => body.code === 'CONFLICT')).toHaveLength(5);
  });
});

describe('a bearer token', () => {
  test.each([
    '',
    'tmk_',
    'tmk_short',
    `tmk_${'A'.repeat(43)}`,
    `tml_${'A'.repeat(43)}`,
    `tmk_${'A'.repeat(4_000)}`,
    `tmx_${'A'.repeat(43)}`,
    'constructor_x',
  ])('that is not ours is nobody’s: %j', async (token) => {
    const { status, headers } = await list(token);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test('of a key does not pass as a login’s, nor the other way', async () => {
    const token = await aLogin();
    const { body } = await create(token, { name: 'swap', scopes: ['keys:write'] });
    expect((await list(body.key.replace('tmk_', 'tml_'))).status).toBe(401);
    expect((await list(token.replace('tml_', 'tmk_'))).status).toBe(401);
  });
});

describe('a rotated key', () => {
  const rotate = (token: string, id: string, body: object = {}) =>
    call(host, 'POST', `/v1/keys/${id}/rotate`, { token, body });

  test('has a new secret and the same rights, and both are good until the grace is over', async () => {
    const token = await aLogin();
    const old = (await create(token, { name: 'ci', scopes: ['keys:write', 'jobs:read'] })).body;
    const { status, body } = await rotate(token, old.id, { graceSeconds: 60 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'ci', scopes: ['keys:write', 'jobs:read'] });
    expect([(await list(old.key)).status, (await list(body.key)).status]).toEqual([200, 200]);
    host.clock.advance(61_000);
    expect([(await list(old.key)).status, (await list(body.key)).status]).toEqual([401, 200]);
    expect((await rotate(token, old.id)).status).toBe(404);
  });

  test('without grace is good no longer', async () => {
    const token = await aLogin();
    const old = (await create(token, { name: 'leaked', scopes: ['keys:write'] })).body;
    expect((await list(old.key)).status).toBe(200);
    await rotate(token, old.id, { graceSeconds: 0 });
    await expect.poll(async () => (await list(old.key)).status).toBe(401);
  });

  test('is not made when the old one cannot be ended: both happen or neither', async () => {
    const token = await aLogin();
    const old = (await create(token, { name: 'whole', scopes: ['keys:write'] })).body;
    const { databaseUrl: url } = host.app.get(Config);
    const owner = new PgDb({ url, role: 'none', max: 1, name: 'test' }, pino({ level: 'silent' }));
    await owner.query(
      `ALTER TABLE api_keys ADD CONSTRAINT no_end CHECK (expires_at IS NULL) NOT VALID`,
    );
    expect((await rotate(token, old.id, { graceSeconds: 60 })).status).toBe(500);
    await owner.query(`ALTER TABLE api_keys DROP CONSTRAINT no_end`);
    await owner.close();
    const names = (await list(token)).body.items.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['whole']);
  });

  test('gives nobody more than they have: not what they lack, not what is another’s', async () => {
    const token = await aLogin();
    const strong = (await create(token, { name: 'strong', scopes: ['jobs:write'] })).body;
    const weak = (await create(token, { name: 'weak', scopes: ['keys:write'] })).body;
    expect((await rotate(weak.key, strong.id)).body.code).toBe('FORBIDDEN');
    expect((await rotate(await aLogin(), strong.id)).status).toBe(404);
    expect((await rotate(token, strong.id, { graceSeconds: 8 * 86_400 })).status).toBe(422);
  });
});

test('a key revoked by another replica ends here as soon as that is heard of', async () => {
  const token = await aLogin();
  const { body } = await create(token, { name: 'far', scopes: ['keys:write'] });
  expect((await list(body.key)).status).toBe(200);
  await host.db.query('UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1', [
    body.id,
  ]);
  await host.db.transaction((tx) => host.app.get(Wakeups).notify(tx, 'keys'));
  await expect
    .poll(async () => (await list(body.key)).status, { timeout: REMEMBERED_MS - 500 })
    .toBe(401);
});
