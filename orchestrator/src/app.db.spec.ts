import type { NestExpressApplication } from '@nestjs/platform-express';
import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from './app.js';
import { configFor } from './identity/testing/stage-host.js';
import { aWallet, call, login } from './identity/testing/wallet.js';

let database: FreshDatabase;
let dataDir: string;
let app: NestExpressApplication;
let url: string;
const admin = aWallet();
const peers: Socket[] = [];

beforeAll(async () => {
  database = await testDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'tidemill-app-'));
  app = await createApp(configFor(database.url, dataDir, [admin.address], {}));
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(async () => {
  for (const peer of peers) peer.destroy();
  await database.drop();
  await rm(dataDir, { recursive: true });
});

/** Another orchestrator on the same database, with other settings. */
async function appWith(env: Record<string, string>) {
  const other = await createApp(configFor(database.url, dataDir, [admin.address], env));
  await other.listen(0, '127.0.0.1');
  return { url: await other.getUrl(), close: () => other.close() };
}

/** A raw connection that has sent this. */
async function dial(sent: string): Promise<Socket> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  peers.push(socket);
  await once(socket, 'connect');
  socket.write(sent);
  return socket;
}

const host = (): Parameters<typeof login>[0] => ({ url }) as Parameters<typeof login>[0]; // all that a call needs

test('the server is bounded and says little of itself', async () => {
  const server = app.getHttpServer();
  expect([server.headersTimeout, server.maxHeadersCount]).toEqual([5_000, 64]);
  const { headers } = await fetch(`${url}/livez`);
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
});

test('no page of another origin may use the API unless its origin is listed', async () => {
  const ask = (to: string, origin: string, method = 'GET') =>
    fetch(`${to}/v1/workers`, {
      method,
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const closed = await ask(url, 'https://console.example', 'OPTIONS');
  expect(closed.headers.get('access-control-allow-origin')).toBeNull();

  const open = await appWith({ TIDEMILL_CORS_ORIGINS: 'https://console.example' });
  const listed = await ask(open.url, 'https://console.example', 'OPTIONS');
  expect(listed.status).toBe(204);
  expect(listed.headers.get('access-control-allow-origin')).toBe('https://console.example');
  expect(listed.headers.get('access-control-allow-methods')).toContain('POST');
  const other = await ask(open.url, 'https://evil.example');
  expect(other.headers.get('access-control-allow-origin')).toBeNull();
  expect(listed.headers.get('access-control-allow-credentials')).toBeNull();
  await open.close();

  const all = await appWith({ TIDEMILL_CORS_ORIGINS: '*' });
  const any = await ask(all.url, 'https://anybody.example');
  expect(any.headers.get('access-control-allow-origin')).toBe('*');
  expect(any.headers.get('access-control-allow-credentials')).toBeNull();
  await all.close();
});

test('who asks too much is told to wait, and nobody else has to (G6, G20)', async () => {
  const strict = await appWith({
    TIDEMILL_REQUESTS_PER_SECOND: '2',
    TIDEMILL_TRUSTED_PROXIES: '127.0.0.1',
  });
  const ask = (from: string, headers: Record<string, string> = {}, path = '/v1/workers') =>
    fetch(`${strict.url}${path}`, { headers: { 'x-forwarded-for': from, ...headers } });
  const statuses = new Set<number>();
  for (let i = 0; i < 40; i += 1) statuses.add((await ask('192.0.2.1')).status);
  expect(statuses).toEqual(new Set([200, 429]));
  const refused = await ask('192.0.2.1');
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
  // Addresses of one /64 are one host, and guessing tokens is asking, too.
  for (let i = 0; i < 40; i += 1) {
    const guess = { authorization: `Bearer tmk_${String(i).padStart(43, 'x')}` };
    statuses.add((await ask(`2001:db8::${i + 1}`, guess, '/v1/jobs')).status);
  }
  expect(statuses).toEqual(new Set([200, 429, 401]));
  expect((await ask('2001:db8::ffff')).status).toBe(429);
  expect((await ask('2001:db8:0:1::1')).status).toBe(200);
  expect((await ask('192.0.2.1', {}, '/livez')).status).toBe(200);

  const { token } = await login({ url: strict.url } as Parameters<typeof login>[0], admin);
  const mine = { authorization: `Bearer ${token}` };
  const asked: number[] = [];
  // A known caller does not use up what strangers of its network have, and is bounded by itself wherever it asks from.
  for (let i = 0; i < 18; i += 1) asked.push((await ask('192.0.2.9', mine)).status);
  expect(new Set(asked)).toEqual(new Set([200]));
  expect((await ask('192.0.2.9')).status).toBe(200);
  for (let i = 0; i < 20; i += 1) asked.push((await ask(`198.51.100.${i}`, mine)).status);
  expect(asked).toContain(429);
  await strict.close();
});

test('an address that is not there is a problem document, too', async () => {
  const { status, headers, body } = await call(host(), 'GET', '/v1/nowhere');
  expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
  expect(headers.get('content-type')).toContain('application/problem+json');
});

test('the page of the API comes from this server', async () => {
  const page = await (await fetch(`${url}/docs`)).text();
  for (const [, path] of page.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    const asset = await fetch(`${url}${path}`);
    expect([path, asset.status]).toEqual([path, 200]);
    await asset.body?.cancel();
  }
});

test('a stop ends within seconds, whoever is still connected', async () => {
  const { token, accountId } = await login(host(), admin);
  const credit = { wallet: admin.address, amount: '10', ref: randomUUID() };
  const given = await call(host(), 'POST', '/v1/admin/credit', { token, body: credit });
  expect([given.status, given.body.id]).toEqual([201, accountId]);
  const spec = { kind: 'batch', runtime: { noop: {} }, limits: { maxCost: 1 } };
  const { body: job } = await call(host(), 'POST', '/v1/jobs', { token, body: spec });
  const stream = await fetch(`${url}/v1/jobs/${job.id}/events`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const reader = stream.body?.getReader();
  expect((await reader?.read())?.done).toBe(false);

  const auth = `Host: here\r\nAuthorization: Bearer ${token}\r\n`;
  await dial('GET /livez HTTP/1.1\r\nHost: here\r\n'); // headers that do not end
  await dial(
    `POST /v1/jobs HTTP/1.1\r\n${auth}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
  );
  await dial(
    `PUT /v1/artifacts/sha256:${'a'.repeat(64)} HTTP/1.1\r\n${auth}Content-Length: 999\r\n\r\nhalf`,
  );
  const worker = await dial(
    'GET /v1/worker HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  const [greeting] = (await once(worker, 'data')) as [Buffer];
  expect(greeting.toString()).toMatch(/^HTTP\/1.1 101 /);

  const sinceMs = performance.now();
  await app.close();
  expect(performance.now() - sinceMs).toBeLessThan(10_000);
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
  // The stream ended as streams do, so its client knows to resume elsewhere.
  let isOver = false;
  while (!isOver) isOver = (await reader?.read())?.done ?? true;
  expect(isOver).toBe(true);
});
