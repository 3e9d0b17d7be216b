import { setTimeout as sleep } from 'node:timers/promises';
import {
  CLOSE,
  encodeBase58,
  type FromWorker,
  MAX_FRAME_BYTES,
  type SessionId,
  TIMING,
  utf8ToBytes,
} from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from './harness/eventually.js';
import { Http, problemOf } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { profileOf, ScriptedWorker } from './harness/scripted-worker.js';
import { freshSigner } from './harness/signer.js';
import { operator, noopJob, submitter } from './harness/submitter.js';
import { type Login, loginFor, WorkerSocket } from './harness/worker-socket.js';

let orchestrator: Orchestrator;

beforeAll(async () => {
  orchestrator = await startOrchestrator();
});

afterAll(async () => {
  expect(await orchestrator?.stop()).toEqual([]);
});

const SESSION = `ses_${'0'.repeat(26)}` as SessionId; // of the right form, and nobody's
const says = () => ({ profile: profileOf('sockets'), holding: [] });

const codeOf = async (socket: WorkerSocket) => (await socket.closed).code;

/** A socket that has been asked to prove a key. */
async function challenged() {
  const socket = await WorkerSocket.open(orchestrator);
  return { socket, challenge: await socket.take('challenge') };
}

describe.concurrent('before its login a socket (G20, G21)', () => {
  test('is closed when it does not log in in time', async () => {
    const { socket } = await challenged();
    const { code, reason, afterMs } = await socket.closed;
    expect([code, reason]).toEqual([CLOSE.loginTimeout.code, CLOSE.loginTimeout.reason]);
    expect(afterMs).toBeGreaterThan(TIMING.loginMs - 500);
    expect(afterMs).toBeLessThan(TIMING.loginMs + 5_000);
  });

  test('may say nothing but who it is', async () => {
    const { socket } = await challenged();
    socket.send({ type: 'heartbeat', session: SESSION, seq: 1, attempts: [] });
    expect(await codeOf(socket)).toBe(CLOSE.unauthenticated.code);
  });

  const unreadable: readonly (readonly [what: string, frame: string | Buffer])[] = [
    ['bytes', Buffer.from('{"type":"login"}')],
    ['no JSON', 'nonsense'],
    ['an empty frame', ''],
    ['a message that there is not', '{"type":"admin"}'],
    ['a message with more than its members', '{"type":"login","surprise":1}'],
    ['arrays in arrays', '['.repeat(100_000)],
    ['a key twice', '{"type":"login","type":"drain"}'],
    ['a prototype', '{"type":"login","__proto__":{}}'],
  ];
  for (const [what, frame] of unreadable) {
    test(`is closed for ${what}`, async () => {
      const { socket } = await challenged();
      socket.socket.send(frame);
      expect(await codeOf(socket)).toBe(CLOSE.badFrame.code);
    });
  }

  test('is closed for a frame above the limit', async () => {
    const { socket } = await challenged();
    socket.socket.send('x'.repeat(MAX_FRAME_BYTES + 1));
    expect(await codeOf(socket)).toBe(1009);
  });

  test('is closed for a message in too many parts', async () => {
    const { socket } = await challenged();
    for (let part = 0; part < 40; part += 1) socket.socket.send('[', { fin: false });
    expect((await socket.closed).afterMs).toBeLessThan(TIMING.loginMs - 500);
  });

  test('is closed when no version is spoken on both sides', async () => {
    const { socket, challenge } = await challenged();
    socket.send({ ...loginFor(challenge, freshSigner(), says()), versions: [99] });
    expect(await codeOf(socket)).toBe(CLOSE.versionMismatch.code);
  });

  test('is closed for a page of a browser', async () => {
    const socket = await WorkerSocket.open(orchestrator, { origin: 'https://evil.example' });
    expect(await codeOf(socket)).toBe(CLOSE.unauthenticated.code);
  });

  const forgeries: readonly (readonly [what: string, forge: (login: Login) => Login])[] = [
    ['another key', (login) => ({ ...login, publicKey: freshSigner().address })],
    ['another nonce', (login) => ({ ...login, nonce: `${login.nonce}x` })],
    ['no signature', (login) => ({ ...login, signature: encodeBase58(new Uint8Array(64)) })],
    [
      'a key that signs for everybody',
      (login) => ({
        ...login,
        publicKey: encodeBase58(Uint8Array.of(1, ...new Uint8Array(31))),
        signature: encodeBase58(Uint8Array.of(1, ...new Uint8Array(63))),
      }),
    ],
  ];
  for (const [what, forge] of forgeries) {
    test(`is not let in with ${what}`, async () => {
      const { socket, challenge } = await challenged();
      socket.send(forge(loginFor(challenge, freshSigner(), says())));
      expect(await codeOf(socket)).toBe(CLOSE.unauthenticated.code);
    });
  }

  test('is not let in with a signature that was made on another socket', async () => {
    const { socket: first, challenge } = await challenged();
    const login = loginFor(challenge, freshSigner(), says());
    first.send(login);
    await first.take('welcome');
    const { socket: second } = await challenged();
    second.send(login);
    expect(await codeOf(second)).toBe(CLOSE.unauthenticated.code);
    first.drop();
  });

  test('is not let in with what a wallet signs to submit jobs', async () => {
    const { socket, challenge } = await challenged();
    const signer = freshSigner();
    const { message } = (
      await new Http(orchestrator.url).post<{ message: string }>('/v1/auth/challenge', {
        publicKey: signer.address,
      })
    ).body;
    const signature = encodeBase58(signer.sign(utf8ToBytes(message)));
    socket.send({ ...loginFor(challenge, signer, says()), signature });
    expect(await codeOf(socket)).toBe(CLOSE.unauthenticated.code);
  });
});

describe.concurrent('after its login a socket (G20, G21)', () => {
  const beat = (session: SessionId, seq: number): FromWorker => ({
    type: 'heartbeat',
    session,
    seq,
    attempts: [],
  });

  test('counts up: a number that does not rise is somebody else’s frame', async () => {
    for (const again of [5, 4, 0]) {
      const { socket, welcome } = await ScriptedWorker.join(orchestrator, 'counting');
      socket.send(beat(welcome.session, 5));
      expect(await socket.take('heartbeat.ack')).toMatchObject({ seq: 5 });
      socket.send(beat(welcome.session, again));
      expect(await codeOf(socket)).toBe(CLOSE.unauthenticated.code);
    }
  });

  test('speaks in its own session only', async () => {
    const one = await ScriptedWorker.join(orchestrator, 'sessions');
    const other = await ScriptedWorker.join(orchestrator, 'sessions');
    one.socket.send(beat(other.welcome.session, 1));
    expect(await codeOf(one.socket)).toBe(CLOSE.unauthenticated.code);
    other.beat();
    expect(await other.socket.take('heartbeat.ack')).toMatchObject({ seq: 1 });
    other.drop();
  });

  test('logs in once', async () => {
    const { socket, challenge } = await challenged();
    const login = loginFor(challenge, freshSigner(), says());
    socket.send(login);
    await socket.take('welcome');
    socket.send(login);
    expect(await codeOf(socket)).toBe(CLOSE.unauthenticated.code);
  });

  test('gives way to a newer one of the same key', async () => {
    const older = await ScriptedWorker.join(orchestrator, 'replaced');
    const newer = await ScriptedWorker.join(orchestrator, 'replaced', { signer: older.signer });
    expect(newer.id).toBe(older.id);
    expect(await codeOf(older.socket)).toBe(CLOSE.replaced.code);
    newer.beat();
    expect(await newer.socket.take('heartbeat.ack')).toMatchObject({ seq: 1 });
    newer.drop();
  });

  test('is closed when it speaks too fast, and is heard when it keeps to the limit', async () => {
    const hasty = await ScriptedWorker.join(orchestrator, 'hasty', { beats: false });
    for (let i = 0; i < 200; i += 1) hasty.beat();
    expect(await codeOf(hasty.socket)).toBe(CLOSE.tooFast.code);

    const brisk = await ScriptedWorker.join(orchestrator, 'brisk', { beats: false });
    for (let i = 0; i < 50; i += 1) brisk.beat();
    for (let i = 0; i < 50; i += 1) await brisk.socket.take('heartbeat.ack');
    expect(brisk.socket.socket.readyState).toBe(WebSocket.OPEN);
    brisk.drop();
  });

  test('is closed for a flood of pings', async () => {
    const pinging = await ScriptedWorker.join(orchestrator, 'pinging', { beats: false });
    for (let i = 0; i < 200; i += 1) pinging.socket.socket.ping();
    expect(await codeOf(pinging.socket)).toBe(CLOSE.tooFast.code);
  });

  test('is not compressed, whatever the worker offers', async () => {
    const socket = await WorkerSocket.open(orchestrator, { perMessageDeflate: true });
    expect(socket.socket.extensions).toBe('');
    socket.drop();
  });
});

test('one address has at most 32 sockets, and one that closes makes room (G20)', async () => {
  const from = { localAddress: '127.9.9.9' };
  const sockets = await Promise.all(
    Array.from({ length: 32 }, () => WorkerSocket.open(orchestrator, from)),
  );
  await Promise.all(sockets.map((socket) => socket.take('challenge')));
  const refused = await WorkerSocket.open(orchestrator, from);
  expect(await codeOf(refused)).toBe(CLOSE.tooMany.code);
  const elsewhere = await WorkerSocket.open(orchestrator);
  expect(await elsewhere.take('challenge')).toBeDefined();
  elsewhere.drop();

  sockets[0]?.drop();
  await sockets[0]?.closed;
  await sleep(100);
  const next = await WorkerSocket.open(orchestrator, from);
  expect(await next.take('challenge')).toBeDefined();
  for (const socket of [...sockets, next]) socket.drop();
});

test('a suspended worker is told so and not let in, until it is resumed', async () => {
  const signer = freshSigner();
  const { id } = await ScriptedWorker.join(orchestrator, 'suspended', { signer }).then((worker) => {
    worker.drop();
    return worker;
  });
  const admin = await operator(orchestrator);
  expect((await admin.post(`/v1/admin/workers/${id}/suspend`)).status).toBe(200);
  const socket = await WorkerSocket.open(orchestrator);
  const challenge = await socket.take('challenge');
  socket.send(loginFor(challenge, signer, { profile: profileOf('suspended'), holding: [] }));
  expect(await socket.closed).toMatchObject({ code: CLOSE.suspended.code });
  expect(socket.inbox.takeAll((_frame): _frame is typeof _frame => true)).toEqual([]);
  expect((await admin.post(`/v1/admin/workers/${id}/resume`)).status).toBe(200);
  (await ScriptedWorker.join(orchestrator, 'suspended', { signer })).drop();
});

test('workers that hang up while they are let in leave no session behind (G20)', async () => {
  const pool = 'hung-up';
  for (let i = 0; i < 20; i += 1) {
    const socket = await WorkerSocket.open(orchestrator);
    const challenge = await socket.take('challenge');
    const login = loginFor(challenge, freshSigner(), { profile: profileOf(pool), holding: [] });
    socket.socket.send(JSON.stringify(login), () => socket.socket.terminate());
    await socket.closed;
  }
  await eventually(
    'none of them counts as online any more',
    async () => {
      const { rows } = await orchestrator.rows.query<{ online: number; joined: number }>(
        `SELECT count(*)::int AS joined, count(*) FILTER (WHERE state = 'online')::int AS online FROM workers WHERE name = $1`,
        [pool],
      );
      return rows[0]?.joined !== 0 && rows[0]?.online === 0;
    },
    12_000,
  );
  const metrics = await (await fetch(`${orchestrator.url}/metrics`)).text();
  const connected = Number(/^tidemill_workers_connected (\d+)$/m.exec(metrics)?.[1]);
  const { rows } = await orchestrator.rows.query(`SELECT 1 FROM workers WHERE state = 'online'`);
  expect(connected).toBeLessThanOrEqual(rows.length);
});

test('the door of workers is a socket and nothing else', async () => {
  expect(problemOf(await new Http(orchestrator.url).get('/v1/worker')).code).toBe('NOT_FOUND');
  for (const path of ['/', '/v1/jobs', '/v1/worker/x', '/socket.io/']) {
    const socket = new WebSocket(orchestrator.url.replace('http', 'ws') + path);
    const outcome = await new Promise<string>((resolve) => {
      socket.on('open', () => resolve('open'));
      socket.on('error', ({ message }) => resolve(message));
    });
    expect(outcome).not.toBe('open');
  }
});

test('after all of it an honest worker joins and works', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'honest');
  worker.serve();
  const alice = await submitter(orchestrator);
  const { id } = await alice.submit(noopJob('honest', { limits: { maxCost: 1 } }));
  expect((await alice.over(id)).state).toBe('succeeded');
  const { body } = await new Http(orchestrator.url).get<string>('/metrics');
  for (const { reason } of [CLOSE.badFrame, CLOSE.loginTimeout, CLOSE.tooFast, CLOSE.tooMany]) {
    expect(body).toMatch(new RegExp(`tidemill_sockets_closed_total\\{reason="${reason}"\\} [1-9]`));
  }
  worker.drop();
});

test('a process that is stopped says so to its workers before it closes their sockets (G5)', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'leaving');
  const stopped = orchestrator.process.stop();
  await worker.socket.take('drain');
  expect(await codeOf(worker.socket)).toBe(CLOSE.goingAway.code);
  await stopped;
});
