import { afterEach, expect, test } from 'vitest';
import {
  type FakeOrchestrator,
  fakeOrchestrator,
  type Handler,
  refusal,
} from '../testing/fake-orchestrator.js';
import { quickClock } from '../testing/quick-clock.js';
import { aJob } from '../testing/samples.js';
import { Tidemill } from './tidemill.js';
import { TidemillError } from './tidemill-error.js';

let fake: FakeOrchestrator | undefined;
afterEach(() => fake?.close());

async function client(routes: Record<string, Handler>) {
  fake = await fakeOrchestrator(routes);
  const clock = quickClock();
  return { fake, clock, tidemill: new Tidemill({ url: fake.url, key: 'tm_secret', clock }) };
}

const spec = { kind: 'batch', runtime: { noop: {} } } as const;

test('a job is created with the key and an Idempotency-Key that stays the same when it is sent again', async () => {
  const { fake, tidemill } = await client({
    'POST /v1/jobs': (_, call) =>
      call < 3 ? refusal('QUEUE_FULL', 'full') : { status: 201, json: aJob() },
  });
  await expect(tidemill.jobs.create(spec)).resolves.toMatchObject({ state: 'queued' });
  const keys = fake.requests.map(({ headers }) => headers['idempotency-key']);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(fake.requests[0]?.headers.authorization).toBe('Bearer tm_secret');
  expect(fake.requests[2]?.json()).toEqual(spec);
});

test('two creations have two keys unless the caller says otherwise', async () => {
  const { fake, tidemill } = await client({
    'POST /v1/jobs': () => ({ status: 201, json: aJob() }),
  });
  await tidemill.jobs.create(spec);
  await tidemill.jobs.create(spec);
  await tidemill.jobs.create(spec, { idempotencyKey: 'mine' });
  const keys = fake.requests.map(({ headers }) => headers['idempotency-key']);
  expect(new Set(keys).size).toBe(3);
  expect(keys[2]).toBe('mine');
});

test('a connection that breaks is tried again', async () => {
  const { clock, tidemill } = await client({
    'GET /v1/account': (_, call) => (call === 1 ? null : { json: { id: 'acc_1' } }),
  });
  await expect(tidemill.account.get()).resolves.toEqual({ id: 'acc_1' });
  expect(clock.waits).toHaveLength(1);
});

test('a key is not created twice when its answer was lost', async () => {
  const { fake, tidemill } = await client({ 'POST /v1/keys': () => null });
  const refused = tidemill.keys.create({ name: 'ci', scopes: ['jobs:read'] });
  await expect(refused).rejects.toMatchObject({ code: 'UNREACHABLE', status: null });
  expect(fake.requests).toHaveLength(1);
});

test('a refusal becomes an error with its code, detail, next step and members', async () => {
  const errors = [{ path: 'runtime', message: 'exactly one runtime' }];
  const { tidemill } = await client({
    'POST /v1/jobs': () => refusal('VALIDATION_FAILED', 'runtime: exactly one runtime', { errors }),
  });
  const error = await tidemill.jobs.create(spec).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TidemillError);
  expect(error).toMatchObject({
    code: 'VALIDATION_FAILED',
    status: 422,
    detail: 'runtime: exactly one runtime',
    next: 'Correct the members named in errors.',
    errors,
  });
});

test('an answer of something that is not an orchestrator says so', async () => {
  const { tidemill } = await client({
    'GET /v1/account': () => ({ status: 502, bytes: Buffer.from('<html>Bad gateway') }),
  });
  await expect(tidemill.account.get()).rejects.toMatchObject({ code: 'BAD_ANSWER', status: 502 });
});

test('when nobody listens the error names the address and what to do', async () => {
  const clock = quickClock();
  const tidemill = new Tidemill({ url: 'http://127.0.0.1:1', clock });
  await expect(tidemill.account.get()).rejects.toMatchObject({
    code: 'UNREACHABLE',
    detail: expect.stringContaining('http://127.0.0.1:1 does not answer'),
  });
  expect(clock.waits).toHaveLength(4);
});

test('a call without an answer ends at its deadline', async () => {
  const stuck: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) =>
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
    );
  const tidemill = new Tidemill({
    url: 'http://127.0.0.1:1',
    fetch: stuck,
    deadlineMs: 5,
    retry: { retries: 1, baseMs: 1 },
  });
  await expect(tidemill.account.get()).rejects.toMatchObject({
    code: 'UNREACHABLE',
    detail: expect.stringContaining('no answer in time'),
  });
});
