import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Tidemill } from '@tidemill/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestNetwork, testNetwork } from './harness/test-network.js';

let net: TestNetwork;
beforeAll(async () => {
  net = await testNetwork({ workers: 1 });
});
afterAll(() => net.stop());

const noop = (sleepMs = 0) => ({ kind: 'batch', runtime: { noop: { sleepMs } } }) as const;

test('the same Idempotency-Key submits once, and with another job it is refused', async () => {
  const { client } = await net.aSubmitter('5');
  const first = await client.jobs.create(noop(), { idempotencyKey: 'once' });
  const second = await client.jobs.create(noop(), { idempotencyKey: 'once' });
  expect(second.id).toBe(first.id);
  await expect(client.jobs.create(noop(7), { idempotencyKey: 'once' })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_MISMATCH',
  });
});

test('many jobs are submitted together and each is waited for', async () => {
  const { client } = await net.aSubmitter('5');
  const jobs = await client.jobs.createMany([noop(), noop(), noop()]);
  const ended = await Promise.all(
    jobs.map(({ id }) => client.jobs.wait(id, { timeoutMs: 60_000 })),
  );
  expect(ended.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  expect((await client.account.get()).held).toBe('0');
});

test('events come in order and a stream can be taken up where another one ended', async () => {
  const { client } = await net.aSubmitter('5');
  const { id } = await client.jobs.create(noop(200));
  const all = [];
  for await (const event of client.jobs.events(id)) all.push(event);
  const types = all.map(({ type }) => type);
  for (const type of ['accepted', 'leased', 'running', 'reported', 'finished'] as const)
    expect(types).toContain(type);
  expect(new Set(all.map(({ cursor }) => cursor)).size).toBe(all.length);

  const rest = [];
  for await (const event of client.jobs.events(id, { after: all[1]?.cursor }))
    rest.push(event.cursor);
  expect(rest).toEqual(all.slice(2).map(({ cursor }) => cursor));
});

test('a large file goes up in pieces and comes back the same; nobody else may read it', async () => {
  const { client } = await net.aSubmitter('5');
  const bytes = randomBytes(20 * 1024 * 1024);
  const path = join(net.dir, 'large.bin');
  writeFileSync(path, bytes);
  const { digest, sizeBytes } = await client.artifacts.put({ path });
  expect(sizeBytes).toBe(bytes.length);
  expect(Buffer.compare(await client.artifacts.get(digest), bytes)).toBe(0);

  const { client: stranger } = await net.aSubmitter('5');
  await expect(stranger.artifacts.get(digest)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('small and empty artifacts are stored whole', async () => {
  const { client } = await net.aSubmitter('5');
  for (const bytes of [new Uint8Array(), Buffer.from('tide')]) {
    const { digest } = await client.artifacts.put(bytes);
    expect(Buffer.compare(await client.artifacts.get(digest), bytes)).toBe(0);
  }
});

test('a key is known until it ends, and a stranger is nobody', async () => {
  const { client } = await net.aSubmitter('5');
  const { key, id } = await client.keys.create({ name: 'e2e', scopes: ['account:read'] });
  const withKey = new Tidemill({ url: net.url, key });
  await expect(withKey.account.get()).resolves.toMatchObject({ available: '5000000' });
  await expect(withKey.jobs.create(noop())).rejects.toMatchObject({
    code: 'FORBIDDEN',
    status: 403,
  });
  await client.keys.revoke(id);
  await expect(withKey.account.get()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(new Tidemill({ url: net.url }).account.get()).rejects.toMatchObject({ status: 401 });
});

test('what is wrong with a job is named by member', async () => {
  const { client } = await net.aSubmitter('5');
  const wrong = { kind: 'batch', runtime: { noop: { sleepMs: -1 } } } as const;
  const error: unknown = await client.jobs.create(wrong).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'VALIDATION_FAILED', status: 422 });
  expect((error as { errors: { path: string }[] }).errors[0]?.path).toContain('sleepMs');
});

test('the example trains a model and asks it', async () => {
  const { client } = await net.aSubmitter('5');
  const scopes = ['jobs:read', 'jobs:write', 'artifacts:read', 'artifacts:write'] as const;
  const { key } = await client.keys.create({ name: 'example', scopes: [...scopes] });
  const example = fileURLToPath(new URL('../docs/examples/train-and-ask.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [example], {
    env: { PATH: process.env['PATH'], TIDEMILL_URL: net.url, TIDEMILL_API_KEY: key },
    timeout: 120_000,
  });
  expect(stdout).toMatch(/train finished\n[^]*ask finished\n[^]*\.npy: \d+ bytes\n/);
});
