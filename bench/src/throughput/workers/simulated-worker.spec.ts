import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  type AttemptId,
  decodeBase58,
  decodeFromWorker,
  type FromOrchestrator,
  type FromWorker,
  loginText,
  type Offer,
  utf8ToBytes,
} from '@tidemill/protocol';
import { nodeVerifier } from '@tidemill/protocol/node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { SimulatedWorker } from './simulated-worker.js';

const zeros = '00000000000000000000000000';
const offer = {
  jobId: `job_${zeros}`,
  taskId: `tsk_${zeros}`,
  attemptId: `att_${zeros}`,
  fence: 7,
  payload: '{"runtime":"noop","noop":{}}',
  inputs: [],
  needs: { gpuMilli: 0, vramMib: 0, cpuMilli: 1000, memoryMib: 0, diskMib: 0 },
  maxDurationMs: 60_000,
} as unknown as Offer; // the ids are of the branded form
const challenge = {
  type: 'challenge',
  versions: [1],
  network: 'bench',
  audience: 'here',
  nonce: 'nonce-of-the-test',
  issuedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-01T00:01:00.000Z',
} as const;

let server: WebSocketServer;
let worker: SimulatedWorker;
let socket: WebSocket;

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const orchestrator = { url: `http://127.0.0.1:${port}`, audience: 'here', network: 'bench' };
  worker = new SimulatedWorker({
    orchestrator,
    name: 'one',
    localAddress: '127.0.0.9',
    linger: false,
  });
});

afterEach(async () => {
  worker.leave();
  server.close();
  await once(server, 'close');
});

const say = (message: FromOrchestrator | object) => socket.send(JSON.stringify(message));

async function heard<T extends FromWorker['type']>(
  type: T,
): Promise<Extract<FromWorker, { type: T }>> {
  for (;;) {
    const [data] = (await once(socket, 'message')) as [Buffer];
    const decoded = decodeFromWorker(data.toString('utf8'));
    if (!decoded.ok) throw new Error(decoded.detail);
    if (decoded.message.type === type) return decoded.message as Extract<FromWorker, { type: T }>;
  }
}

async function loggedIn(): Promise<Extract<FromWorker, { type: 'login' }>> {
  const joined = worker.join();
  [socket] = (await once(server, 'connection')) as [WebSocket];
  say(challenge);
  const login = await heard('login');
  const timing = { heartbeatMs: 5_000, leaseMs: 15_000, selfStopMs: 12_000 };
  const ids = { session: `ses_${zeros}`, workerId: `wrk_${zeros}` };
  say({ type: 'welcome', version: 1, ...ids, token: 'token', timing, kept: [], gone: [] });
  await joined;
  return login;
}

it('proves its key over the text of a worker login', async () => {
  const { publicKey, signature } = await loggedIn();
  const text = utf8ToBytes(loginText({ ...challenge, purpose: 'worker', publicKey }));
  const [key, proof] = [decodeBase58(publicKey), decodeBase58(signature)] as [
    Uint8Array,
    Uint8Array,
  ];
  expect(nodeVerifier()(key, text, proof)).toBe(true);
});

it('accepts what it is offered, and reports it once the lease is confirmed', async () => {
  await loggedIn();
  say({ type: 'offer', offers: [offer] });
  const { leases, session } = await heard('accept');
  expect(leases).toEqual([{ attemptId: offer.attemptId, fence: 7 }]);
  expect(session).toBe(`ses_${zeros}`);

  say({ type: 'active', attempts: [offer.attemptId], gone: [] });
  const { receipts } = await heard('receipts');
  expect(receipts).toHaveLength(1);
  say({ type: 'receipts.ack', receipts: [{ attemptId: offer.attemptId, status: 'stored' }] });
  await expect.poll(() => worker.tally()).toEqual({ started: 1, stored: 1, faults: [] });
});

it('remembers what should not have happened', async () => {
  await loggedIn();
  const stranger = `att_${zeros.slice(1)}1` as AttemptId;
  say({ type: 'active', attempts: [stranger], gone: [] });
  say({ type: 'receipts.ack', receipts: [{ attemptId: stranger, status: 'stale' }] });
  say({ type: 'cancel', attempts: [stranger], reason: 'lost' });
  await expect.poll(() => worker.tally().faults.length).toBe(3);
  socket.close(1001);
  await expect.poll(() => worker.tally().faults.at(-1)).toContain('closed with 1001');
});
