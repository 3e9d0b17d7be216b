import express from 'express';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Peers } from '../limits/peers.js';
import { boundServer, documentDeadline, type ServerLimits } from './server-limits.js';

const QUICK: ServerLimits = {
  headersMs: 300,
  checkEveryMs: 50,
  perNetwork: 10,
  requestMs: 60_000,
  keepAliveMs: 300,
  documentMs: 300,
};

let server: Server;
let headersSeen = 0;

beforeEach(async () => {
  const app = express();
  app.use(documentDeadline(QUICK));
  app.use((request, response) => {
    headersSeen = Object.keys(request.headers).length;
    request
      .resume()
      .on('end', () => response.send('whole'))
      .on('error', () => undefined);
  });
  server = createServer(app);
  boundServer(server, new Peers([]), QUICK);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Peer {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  text(): string;
}

function dial(sent: string): Peer {
  let text = '';
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket
    .setEncoding('utf8')
    .on('data', (part: string) => (text += part))
    .on('error', () => undefined);
  socket.write(sent);
  // Not `once` of node:events: a reset, which is as good an end, would reject it.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  return { socket, closed, text: () => text };
}

const connections = (): Promise<number> =>
  new Promise((resolve) => server.getConnections((_cause, count) => resolve(count)));

const isOpen = (peer: Peer, forMs: number): Promise<boolean> =>
  Promise.race([peer.closed.then(() => false), sleep(forMs, true)]);

test('headers that do not end are not waited for', async () => {
  const peer = dial('GET / HTTP/1.1\r\nHost: here\r\n');
  expect(await isOpen(peer, 5_000)).toBe(false);
  expect(peer.text()).toMatch(/^HTTP\/1.1 408 /);
});

test('a connection that says nothing is not waited for (G20)', async () => {
  expect(await isOpen(dial(''), 5_000)).toBe(false);
});

test('one network has only so many connections, and one that closes makes room (G20)', async () => {
  const peers = Array.from({ length: 10 }, () => dial(''));
  await expect.poll(() => connections()).toBe(10);
  const refused = dial('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  await refused.closed;
  expect(refused.text()).toBe('');
  peers[0]?.socket.destroy();
  await expect.poll(() => connections()).toBeLessThan(10);
  const next = dial('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  await expect.poll(() => next.text()).toMatch(/whole$/);
});

test('an upgrade that breaks off does not end the process', async () => {
  const failed: unknown[] = [];
  const note = (cause: unknown) => failed.push(cause);
  process.on('uncaughtException', note);
  server.on('upgrade', (_request, socket: Socket) => {
    socket.destroy(new Error('the peer reset the connection'));
  });
  const peer = dial('GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  await peer.closed;
  await sleep(50);
  process.off('uncaughtException', note);
  expect(failed).toEqual([]);
});

test('an upgrade that is refused does not stay half open', async () => {
  server.on('upgrade', (_request, socket: Socket) => socket.end('HTTP/1.1 400\r\n\r\n'));
  const upgrade = 'GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  socket.on('error', () => undefined).resume();
  socket.write(upgrade);
  await expect.poll(() => connections(), { timeout: 5_000 }).toBe(1);
  await expect.poll(() => connections(), { timeout: 5_000 }).toBe(0);
  socket.destroy();
});

test.each(['POST /', 'PATCH /', 'PUT /v1/account/warning', 'DELETE /v1/artifacts/x'])(
  'a document that does not arrive is not waited for either: %s',
  async (what) => {
    const peer = dial(`${what} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf`);
    const dripping = setInterval(() => peer.socket.write('.'), 50);
    expect(await isOpen(peer, 3_000)).toBe(false);
    clearInterval(dripping);
  },
);

test('bytes may take their time', async () => {
  const peer = dial(
    'PUT /v1/artifacts/x HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 8\r\n\r\nhalf',
  );
  expect(await isOpen(peer, 1_000)).toBe(true);
  peer.socket.write('rest');
  await peer.closed;
  expect(peer.text()).toMatch(/^HTTP\/1.1 200 [^]*whole$/);
});

test('an idle connection is closed after a while', async () => {
  const peer = dial('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  await expect.poll(() => peer.text()).toMatch(/whole$/);
  expect(await isOpen(peer, 5_000)).toBe(false);
});

test('of very many headers only so many are kept', async () => {
  const many = Array.from({ length: 200 }, (_, i) => `x-${i}: 1\r\n`).join('');
  const peer = dial(`GET / HTTP/1.1\r\nHost: here\r\n${many}\r\n`);
  await expect.poll(() => peer.text()).toMatch(/whole$/);
  expect(headersSeen).toBeLessThanOrEqual(64);
});

test('headers that are too large are refused', async () => {
  const peer = dial(`GET / HTTP/1.1\r\nHost: here\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`);
  await peer.closed;
  expect(peer.text()).toMatch(/^HTTP\/1.1 431 /);
});

test('the figures of the network leave a slow upload time and a slow header none', () => {
  const other = createServer();
  boundServer(other, new Peers([]));
  expect(other.requestTimeout).toBeGreaterThanOrEqual((4 * 1024 ** 3) / 200);
  expect([other.headersTimeout, other.maxHeadersCount]).toEqual([5_000, 64]);
  expect(other.keepAliveTimeout).toBeGreaterThan(60_000);
});
