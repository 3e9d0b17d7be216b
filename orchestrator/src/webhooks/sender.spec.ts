import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Config } from '../config/env.js';
import { isPublicAddress } from './inside-addresses.js';
import { HttpSender } from './sender.js';
import { TargetRules } from './target-rules.js';

const anywhere = new TargetRules({ webhookTargets: 'any' } as Config);
const outside = new TargetRules({ webhookTargets: 'public' } as Config);
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function receiver(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

const send = (sender: HttpSender, url: string, stop = new AbortController().signal) =>
  sender.send({ url, headers: { 'webhook-id': 'evt_1' }, body: '{}' }, stop);

test('a message is posted with its headers, and the status is told', async () => {
  let got = '';
  const { port } = await receiver((request, response) => {
    request.on('data', (chunk: Buffer) => (got += chunk.toString()));
    request.on('end', () => {
      got += ` ${request.method} ${String(request.headers['webhook-id'])}`;
      response.writeHead(204).end();
    });
  });
  const sent = await send(new HttpSender(anywhere), `http://127.0.0.1:${port}/hook`);
  expect([sent, got]).toEqual([{ status: 204, error: null }, '{} POST evt_1']);
});

test('a redirect is not followed', async () => {
  const target = await receiver((_, response) => response.end());
  const { port } = await receiver((_, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${target.port}/` }).end();
  });
  const sent = await send(new HttpSender(anywhere), `http://127.0.0.1:${port}/`);
  expect(sent).toEqual({ status: 307, error: 'answered 307' });
  expect(target.requests()).toBe(0);
});

test('an answer without an end is cut off, and its status counts', async () => {
  const { port } = await receiver((_, response) => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(16_384), more);
    };
    more();
  });
  expect(await send(new HttpSender(anywhere), `http://127.0.0.1:${port}/`)).toEqual({
    status: 200,
    error: null,
  });
});

test('an endpoint that says nothing is left when the process stops', async () => {
  const stop = new AbortController();
  const { port } = await receiver(() => stop.abort());
  const sent = await send(new HttpSender(anywhere), `http://127.0.0.1:${port}/`, stop.signal);
  expect(sent.status).toBeNull();
});

test('nobody there is told as such', async () => {
  const sent = await send(new HttpSender(anywhere), 'http://127.0.0.1:1/');
  expect(sent.status).toBeNull();
  expect(sent.error).toContain('ECONNREFUSED');
});

test('a name that resolves to an inside address is not connected to, whatever it looked like before', async () => {
  const { port, requests } = await receiver((_, response) => response.end());
  const trusting = { check: (text: string) => new URL(text), mayConnect: isPublicAddress };
  const sent = await send(
    new HttpSender(trusting as unknown as TargetRules),
    `http://localhost:${port}/`,
  );
  expect(sent).toEqual({
    status: null,
    error: 'localhost is not reached over the public internet',
  });
  expect(requests()).toBe(0);
});

test.each([
  'http://example.com/hook',
  'https://127.0.0.1/hook',
  'https://2130706433/hook',
  'https://0x7f.1/hook',
  'https://[::1]/hook',
  'https://[::ffff:10.0.0.1]/hook',
  'https://169.254.169.254/latest/meta-data',
  'https://localhost/hook',
  'https://db.internal/hook',
  'https://orchestrator/hook',
])('%s is refused where only public addresses are taken', async (url) => {
  expect(() => outside.check(url)).toThrow(/WEBHOOK_URL_REFUSED/);
  expect((await send(new HttpSender(outside), url)).status).toBeNull();
});

test('an address of the public internet is taken', () => {
  expect(outside.check('https://hooks.example.com/a?b=c').href).toBe(
    'https://hooks.example.com/a?b=c',
  );
});

test('a resolver that says nothing holds nobody up: the deadline and a stop end the wait for it', async () => {
  class Mute extends HttpSender {
    protected override addressesOf(): Promise<never> {
      return new Promise(() => undefined);
    }
  }
  const stop = new AbortController();
  const sending = send(new Mute(outside), 'https://mute.example/', stop.signal);
  stop.abort();
  expect(await sending).toMatchObject({ status: null });
  expect(await send(new Mute(outside), 'https://mute.example/', AbortSignal.abort())).toMatchObject(
    {
      status: null,
    },
  );
});
