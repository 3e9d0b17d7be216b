import type { JobEvent, JobId } from '@tidemill/protocol';
import type { Request, Response } from 'express';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { EventStream } from './event-stream.js';

let host: StageHost;
let alice: StageSubmitter;
let token: string;

beforeAll(async () => {
  host = await startNetwork();
  alice = await StageSubmitter.with(host);
  ({ token } = await login(host, alice.wallet));
});
afterAll(() => host.stop());

interface Streamed {
  readonly id: string;
  readonly type: string;
  readonly event: JobEvent;
}

function open(id: JobId, { from, as = token }: { from?: string; as?: string } = {}) {
  return fetch(`${host.url}/v1/jobs/${id}/events`, {
    headers: {
      authorization: `Bearer ${as}`,
      ...(from === undefined ? {} : { 'last-event-id': from }),
    },
  });
}

/** The events of a stream, parsed, until it ends or `stop` says so. */
async function read(
  id: JobId,
  from?: string,
  stop: (events: Streamed[]) => boolean = () => false,
): Promise<Streamed[]> {
  const response = await open(id, from === undefined ? {} : { from });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream',
  ]);
  const events: Streamed[] = [];
  let rest = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += Buffer.from(chunk).toString();
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const fields = new Map(
        block.split('\n').map((line) => line.split(/: (.*)/, 2) as [string, string]),
      );
      if (!fields.has('data')) continue;
      const event = JSON.parse(fields.get('data') ?? '') as JobEvent;
      events.push({ id: fields.get('id') ?? '', type: fields.get('event') ?? '', event });
    }
    if (stop(events)) break; // which cancels the body, and with it the connection
  }
  return events;
}
const types = (events: readonly Streamed[]) => events.map(({ type }) => type);

/** A job of the pool that a worker has done, paid and all. */
async function done(pool: string): Promise<JobId> {
  const id = await alice.submit(noopJob(pool));
  const worker = await StageWorker.join(host, pool);
  const offer = await worker.begin();
  const { attemptId, fence } = offer;
  await worker.say({
    type: 'logs',
    items: [
      { attemptId, fence, line: 0, stream: 'out', text: 'first' },
      { attemptId, fence, line: 1, stream: 'err', text: 'second\nhalf' },
    ],
  });
  await worker.say({
    type: 'progress',
    items: [{ attemptId, fence, step: 3, totalSteps: 4, metrics: { loss: 0.5 } }],
  });
  await worker.report(offer);
  await alice.over(id);
  await alice.when(id, ({ cost }) => cost !== '0');
  return id;
}

describe('a stream', () => {
  test('tells a job’s whole story in order and ends when there is nothing left to tell', async () => {
    const id = await done('story');
    const events = await read(id);
    // One statement gives the verdict and ends the job, so either may come first; `running` is said of tasks that last.
    const said = types(events).filter((type) => type !== 'running');
    expect(said.slice(0, 6)).toEqual(['accepted', 'leased', 'log', 'log', 'progress', 'reported']);
    expect(said.slice(6, 8).sort()).toEqual(['finished', 'verdict']);
    expect(said.slice(8)).toEqual(['booked']);
    expect(new Set(events.map((one) => one.id)).size).toBe(events.length);
    expect([...events].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(events);
    const texts = events
      .filter(({ type }) => type === 'log')
      .map(({ event }) => event.data['text']);
    expect(texts).toEqual(['first', 'second\nhalf']);
    expect(events.find(({ type }) => type === 'finished')?.event.data).toMatchObject({
      state: 'succeeded',
    });
  });

  test('that is resumed gives what came after, and nothing twice', async () => {
    const id = await done('resumed');
    const all = await read(id);
    for (const at of [0, 2, all.length - 2]) {
      expect((await read(id, all[at]?.id)).map((one) => one.id)).toEqual(
        all.slice(at + 1).map((one) => one.id),
      );
    }
  });

  test('that is resumed from nowhere begins at the beginning', async () => {
    const id = await done('nowhere');
    const all = await read(id);
    for (const from of ['nonsense', '17', '9999999999999999', `${'1'.repeat(16)} x`])
      expect(types(await read(id, from))).toEqual(types(all));
  });

  test('of a job that used up its hold ends as soon', async () => {
    const id = await alice.submit(noopJob('used-up', { limits: { maxCost: '0.000003' } }));
    const worker = await StageWorker.join(host, 'used-up');
    const offer = await worker.begin();
    await sleep(80);
    await worker.report(offer, { usage: { billableMs: 60, cpuMs: 0, maxRssMib: 1 } });
    const sinceMs = performance.now();
    expect(types(await read(id))).toContain('booked');
    expect(performance.now() - sinceMs).toBeLessThan(10_000);
    expect(await alice.job(id)).toMatchObject({ hold: '3', cost: '3' });
  });

  test('says what happens as it happens', async () => {
    const id = await alice.submit(noopJob('live'));
    const reading = read(id);
    await sleep(300);
    const worker = await StageWorker.join(host, 'live');
    await worker.report(await worker.begin());
    const events = await reading;
    expect(types(events)).toContain('finished');
    expect(types(events).at(0)).toBe('accepted');
  });

  test('ends when the key it was opened with is revoked', async () => {
    const id = await alice.submit(noopJob('revoked'));
    const key = await call(host, 'POST', '/v1/keys', {
      token,
      body: { name: 'watcher', scopes: ['jobs:read'] },
    });
    const response = await open(id, { as: key.body.key });
    const over = response.text();
    await call(host, 'DELETE', `/v1/keys/${key.body.id}`, { token });
    expect(await over).toContain('event: accepted');
  });

  test('of another account’s job is not there', async () => {
    const id = await alice.submit(noopJob('foreign'));
    const { token: stranger } = await login(host, aWallet());
    const response = await open(id, { as: stranger });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that its client leaves is forgotten', async () => {
    const id = await alice.submit(noopJob('left'));
    const stream = host.app.get<unknown, { open: Set<unknown> }>(EventStream); // what it keeps of its clients
    const before = stream.open.size;
    await read(id, undefined, (events) => events.length > 0);
    await expect.poll(() => stream.open.size, { timeout: 10_000 }).toBe(before);
  });
});

test('a client that does not read holds its events up, and nothing piles up for it', async () => {
  const id = await done('unread');
  const written: string[] = [];
  const request = new EventEmitter() as unknown as Request; // it only ever closes
  const response = Object.assign(new EventEmitter(), {
    writableNeedDrain: true,
    writeHead: () => undefined,
    write: (text: string) => written.push(text),
    end: () => written.push('the end'),
  }) as unknown as Response; // what a stream does to it
  const sending = host.app
    .get(EventStream)
    .send(alice.accountId, id, undefined, request, response, () => Promise.resolve(true));
  await expect.poll(() => written.length, { timeout: 10_000 }).toBeGreaterThan(5);
  await sleep(1_500);
  expect(written.at(-1)).not.toBe('the end');
  Object.assign(response, { writableNeedDrain: false });
  response.emit('drain');
  await sending;
  expect(written.at(-1)).toBe('the end');
});
