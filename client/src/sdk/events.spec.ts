import { afterEach, expect, test } from 'vitest';
import {
  type Answer,
  type FakeOrchestrator,
  fakeOrchestrator,
  type Handler,
  refusal,
} from '../testing/fake-orchestrator.js';
import { quickClock } from '../testing/quick-clock.js';
import { aJobDetail, JOB_ID } from '../testing/samples.js';
import { Tidemill } from './tidemill.js';

let fake: FakeOrchestrator | undefined;
afterEach(() => fake?.close());

const EVENTS = `GET /v1/jobs/${JOB_ID}/events`;
const JOB = `GET /v1/jobs/${JOB_ID}`;

async function client(routes: Record<string, Handler>) {
  fake = await fakeOrchestrator(routes);
  const tidemill = new Tidemill({ url: fake.url, key: 'tm_secret', clock: quickClock() });
  const streams = () => fake?.requests.filter(({ path }) => path.endsWith('/events')) ?? [];
  return { tidemill, streams };
}

const sse = (id: number, type = 'progress', cursor = `${id}-a`) =>
  `id: ${cursor}\nevent: ${type}\ndata: ${JSON.stringify({ id, at: '2030-01-01T00:00:00Z', type, data: { step: id } })}\n\n`;
const stream = (pieces: string[], cut = false): Answer => ({
  headers: { 'content-type': 'text/event-stream' },
  pieces,
  cut,
});
const inState = (state: 'running' | 'succeeded'): Answer => ({ json: aJobDetail({ state }) });

async function ids(tidemill: Tidemill, after?: string): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of tidemill.jobs.events(JOB_ID, { after })) seen.push(event.id);
  return seen;
}

test('events arrive in order, whatever way the bytes are cut', async () => {
  const text = [sse(1), ': still here\n\n', sse(2), sse(3, 'finished')].join('');
  const { tidemill } = await client({
    [EVENTS]: () => stream([text.slice(0, 17), text.slice(17, 130), text.slice(130)]),
    [JOB]: () => inState('succeeded'),
  });
  expect(await ids(tidemill)).toEqual([1, 2, 3]);
});

test('a broken stream goes on after the last event and repeats none', async () => {
  const { tidemill, streams } = await client({
    [EVENTS]: (_, call) =>
      call === 1 ? stream([sse(1), sse(2)], true) : stream([sse(2), sse(3), sse(4, 'finished')]),
    [JOB]: () => inState('succeeded'),
  });
  expect(await ids(tidemill)).toEqual([1, 2, 3, 4]);
  expect(streams().map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2-a']);
});

test('events of one moment are told apart, and a late one is not lost', async () => {
  const { tidemill } = await client({
    [EVENTS]: () =>
      stream([sse(5, 'leased', '5-a'), sse(5, 'running', '5-b'), sse(4, 'log', '4-l')]),
    [JOB]: () => inState('succeeded'),
  });
  expect(await ids(tidemill)).toEqual([5, 5, 4]);
});

test('an iteration may start after an event that was seen before', async () => {
  const { tidemill, streams } = await client({
    [EVENTS]: () => stream([sse(8, 'finished')]),
    [JOB]: () => inState('succeeded'),
  });
  expect(await ids(tidemill, '7-a')).toEqual([8]);
  expect(streams()[0]?.headers['last-event-id']).toBe('7-a');
});

test('a stream that stays empty while the job goes on is given up', async () => {
  const { tidemill, streams } = await client({
    [EVENTS]: () => stream([]),
    [JOB]: () => inState('running'),
  });
  await expect(ids(tidemill)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  expect(streams()).toHaveLength(11);
});

test('a stream that was open sits out an orchestrator that restarts', async () => {
  const { tidemill } = await client({
    [EVENTS]: (_, call) => {
      if (call === 1) return stream([sse(1)], true);
      return call < 8 ? null : stream([sse(2, 'finished')]);
    },
    [JOB]: () => inState('succeeded'),
  });
  expect(await ids(tidemill)).toEqual([1, 2]);
});

test('a stream that was never open is given up when nobody answers', async () => {
  const { tidemill, streams } = await client({ [EVENTS]: () => null });
  await expect(ids(tidemill)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(streams()).toHaveLength(5);
});

test('a job that is not yours has no events', async () => {
  const { tidemill } = await client({ [EVENTS]: () => refusal('NOT_FOUND', 'no such job') });
  await expect(ids(tidemill)).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
});

test('waiting shows every event and ends with the job', async () => {
  const { tidemill } = await client({
    [EVENTS]: () => stream([sse(1, 'accepted'), sse(2, 'finished')]),
    [JOB]: () => inState('succeeded'),
  });
  const types: string[] = [];
  const job = await tidemill.jobs.wait(JOB_ID, { onEvent: ({ type }) => types.push(type) });
  expect(job.state).toBe('succeeded');
  expect(types).toEqual(['accepted', 'finished']);
});

test('waiting ends at its deadline', async () => {
  const { tidemill } = await client({
    [EVENTS]: () => ({ ...stream([sse(1)]), headers: { 'content-length': '100000' } }),
    [JOB]: () => inState('running'),
  });
  await expect(tidemill.jobs.wait(JOB_ID, { timeoutMs: 100 })).rejects.toMatchObject({
    code: 'WAIT_TIMEOUT',
  });
});

test('waiting ends when its signal is aborted', async () => {
  const { tidemill } = await client({
    [EVENTS]: () => stream([sse(1)]),
    [JOB]: () => inState('running'),
  });
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(tidemill.jobs.wait(JOB_ID, { signal })).rejects.toThrow('enough');
});
