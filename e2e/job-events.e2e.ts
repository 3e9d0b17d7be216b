import { JobEvent } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventsOf, type Streamed } from './harness/event-stream.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { ScriptedWorker } from './harness/scripted-worker.js';
import { noopJob, type Submitter, submitter } from './harness/submitter.js';

let orchestrator: Orchestrator;
let alice: Submitter;

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  alice = await submitter(orchestrator);
});

afterAll(async () => {
  expect(await orchestrator?.stop()).toEqual([]);
});

const STEPS = 5;

/** A job that a worker runs step by step, with progress and a line of log for each. */
async function run(pool: string, stepMs: number): Promise<{ id: string; done: Promise<void> }> {
  const worker = await ScriptedWorker.join(orchestrator, pool);
  const { id } = await alice.submit(noopJob(pool, { limits: { maxCost: 1 } }));
  const offer = await worker.begin();
  const { attemptId, fence } = offer;
  const done = (async () => {
    for (let step = 1; step <= STEPS; step += 1) {
      await new Promise((resolve) => setTimeout(resolve, stepMs));
      const metrics = { loss: 1 / step };
      worker.say({
        type: 'progress',
        items: [{ attemptId, fence, step, totalSteps: STEPS, metrics }],
      });
      const text = `step ${step}`;
      worker.say({
        type: 'logs',
        items: [{ attemptId, fence, line: step - 1, stream: 'out', text }],
      });
    }
    await worker.report(offer);
    worker.drop();
  })();
  return { id, done };
}

const types = (events: readonly Streamed[]) => events.map(({ type }) => type);

test('a stream tells what happens in its order, as it happens, and ends when the bill is settled', async () => {
  const { id, done } = await run('stream', 250);
  const [events] = await Promise.all([eventsOf(alice, id), done]);
  for (const { event, type } of events) {
    expect(JobEvent.parse(event)).toBeDefined();
    expect(event.type).toBe(type);
  }
  expect(events.map(({ id: key }) => key)).toEqual([...events].map(({ id: key }) => key).sort());
  expect(new Set(events.map(({ id: key }) => key)).size).toBe(events.length);

  const inOrder = types(events).filter((type) => type !== 'progress' && type !== 'log');
  expect(inOrder.slice(0, 3)).toEqual(['accepted', 'leased', 'running']);
  expect([...inOrder.slice(3)].sort()).toEqual(['booked', 'finished', 'reported', 'verdict']);
  expect(inOrder.indexOf('reported')).toBeLessThan(inOrder.indexOf('verdict'));
  expect(inOrder.indexOf('verdict')).toBeLessThan(inOrder.indexOf('booked'));

  const lines = events.filter(({ type }) => type === 'log').map(({ event }) => event.data['text']);
  expect(lines).toEqual(Array.from({ length: STEPS }, (_, i) => `step ${i + 1}`));
  const steps = events
    .filter(({ type }) => type === 'progress')
    .map(({ event }) => Number(event.data['step']));
  expect(steps.length).toBeGreaterThan(1);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  const finished = events.find(({ type }) => type === 'finished');
  expect(finished?.event.data).toMatchObject({ state: 'succeeded' });
});

test('a stream that breaks off and is resumed loses nothing and repeats nothing', async () => {
  const { id, done } = await run('resumed', 300);
  const seen: Streamed[] = [];
  let part: Streamed[];
  do {
    const last = seen.at(-1);
    // Leaves after every second event, wherever that is.
    let count = 0;
    part = await eventsOf(alice, id, {
      ...(last === undefined ? {} : { after: last.id }),
      enough: () => (count += 1) === 2,
    });
    seen.push(...part);
  } while (part.length > 0);
  await done;
  const keys = seen.map(({ id: key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  const whole = await eventsOf(alice, id);
  // Progress is kept as it is newest, so an older step is in one stream and not in a later one.
  const lasting = (events: readonly Streamed[]) =>
    events.filter(({ type }) => type !== 'progress').map(({ id: key }) => key);
  expect(lasting(seen)).toEqual(lasting(whole));
});

test('a job that was over long ago tells its story at once, and is silent after its end', async () => {
  const { id, done } = await run('past', 10);
  await done;
  await alice.over(id);
  await alice.settled();
  const sinceMs = performance.now();
  const events = await eventsOf(alice, id);
  expect(performance.now() - sinceMs).toBeLessThan(3_000);
  expect(types(events)).toContain('booked');
  expect(await eventsOf(alice, id, { after: events.at(-1)?.id ?? '' })).toEqual([]);
});

test('a cancelled job ends its streams, also those that wait', async () => {
  const { id } = await alice.submit(noopJob('nobody', { limits: { maxCost: 1 } }));
  const streams = Promise.all([eventsOf(alice, id), eventsOf(alice, id)]);
  await alice.cancel(id);
  for (const events of await streams) {
    expect(types(events)).toEqual(['accepted', 'finished']);
    expect(events[1]?.event.data).toMatchObject({ state: 'cancelled', code: 'CANCELLED' });
  }
});

test('log lines are kept in order and page by page', async () => {
  const { id, done } = await run('logs', 10);
  await done;
  const first = await alice.http.get<{ items: { text: string }[]; nextCursor: string | null }>(
    `/v1/jobs/${id}/logs?limit=3`,
  );
  expect(first.body.items.map(({ text }) => text)).toEqual(['step 1', 'step 2', 'step 3']);
  const rest = await alice.http.get<{ items: { text: string }[]; nextCursor: string | null }>(
    `/v1/jobs/${id}/logs?limit=3&cursor=${first.body.nextCursor}`,
  );
  expect(rest.body.items.map(({ text }) => text)).toEqual(['step 4', 'step 5']);
  expect(rest.body.nextCursor).toBeNull();
});
