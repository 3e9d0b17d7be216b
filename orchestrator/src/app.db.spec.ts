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
  expect([server.headersTimeout, server.maxHeadersCount]).toEqual([20_000, 64]);
  const { headers } = await fetch(`${url}/livez`);
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
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
