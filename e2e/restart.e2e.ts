import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchResult } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClosedBooks, expectSoundBooks } from './harness/books.js';
import { eventually } from './harness/eventually.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { type RealWorker, realWorker } from './harness/real-worker.js';
import { signed } from './harness/receipts.js';
import { leaseOf, ScriptedWorker } from './harness/scripted-worker.js';
import { noopJob, summary, type Submitter, submitter } from './harness/submitter.js';

let orchestrator: Orchestrator;
let alice: Submitter;
let workers: RealWorker[] = [];

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  alice = await submitter(orchestrator);
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.process.stop()));
  expect(await orchestrator?.stop()).toEqual([]);
});

/** Kills the orchestrator, starts it anew, and says for how long it was away. */
async function killAndRestart(): Promise<number> {
  const sinceMs = performance.now();
  orchestrator.process.signal('SIGKILL');
  await orchestrator.start();
  return performance.now() - sinceMs;
}

test('an attempt that runs while the orchestrator is killed goes on and counts (G1, G5)', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'running');
  const { id } = await alice.submit(noopJob('running', { limits: { maxCost: 1 } }));
  const offer = await worker.begin();
  await alice.when(id, 'it runs', ({ state }) => state === 'running');
  await killAndRestart();
  const again = await ScriptedWorker.join(orchestrator, 'running', {
    signer: worker.signer,
    holding: [leaseOf(offer)],
  });
  expect(again.id).toBe(worker.id);
  expect(again.welcome).toMatchObject({ kept: [offer.attemptId], gone: [] });
  expect(await again.report(offer)).toMatchObject({ status: 'stored' });
  const job = await alice.over(id);
  expect(job).toMatchObject({ state: 'succeeded' });
  expect(job.taskList[0]?.attempts).toHaveLength(1);
  again.drop();
});

test('a lease taken a moment before the kill is not lost with it (G1)', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'taken');
  const { id } = await alice.submit(
    noopJob('taken', { retry: { max: 0 }, limits: { maxCost: 1 } }),
  );
  const offer = await worker.begin();
  await killAndRestart();
  const again = await ScriptedWorker.join(orchestrator, 'taken', {
    signer: worker.signer,
    holding: [leaseOf(offer)],
  });
  expect(await again.report(offer)).toMatchObject({ status: 'stored' });
  expect(await alice.over(id)).toMatchObject({ state: 'succeeded' });
  again.drop();
});

test('a receipt whose acknowledgement was lost with the process is sent again and counts once (G9)', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'unanswered');
  const ids: string[] = [];
  const batches = [];
  for (let i = 0; i < 8; i += 1) {
    ids.push((await alice.submit(noopJob('unanswered', { limits: { maxCost: 1 } }))).id);
    const offer = await worker.begin();
    batches.push({ offer, batch: signed([worker.receipt(offer)], worker.signer) });
  }
  // The kill falls somewhere among the eight: before, in and after their commits.
  for (const { batch } of batches) worker.say({ type: 'receipts', ...batch });
  await worker.socket.take('receipts.ack');
  await killAndRestart();
  const again = await ScriptedWorker.join(orchestrator, 'unanswered', {
    signer: worker.signer,
    holding: batches.map(({ offer }) => leaseOf(offer)),
  });
  const acks = [];
  for (const { offer, batch } of batches)
    acks.push(await again.sendReceipts(batch, offer.attemptId));
  expect(acks.filter(({ status }) => status !== 'stored' && status !== 'duplicate')).toEqual([]);
  expect(acks.filter(({ status }) => status === 'duplicate').length).toBeGreaterThan(0);
  for (const id of ids) {
    const job = await alice.over(id);
    expect(job.state).toBe('succeeded');
    expect(job.taskList[0]?.attempts).toHaveLength(1);
  }
  again.drop();
});

test('a queue of jobs survives kill after kill: each is done once and billed once (G1, G4, G9)', async () => {
  workers = [
    await realWorker(orchestrator, 'steady-1'),
    await realWorker(orchestrator, 'steady-2', { slots: '1' }),
  ];
  const long = await alice.submit(noopJob(null, { runtime: { noop: { sleepMs: 6_000 } } }));
  const jobs = Array.from({ length: 40 }, (_, i) =>
    noopJob(null, { runtime: { noop: { sleepMs: 50 + (i % 7) * 60 } } }),
  );
  const { body } = await alice.http.post<BatchResult>('/v1/jobs/batch', { jobs });
  const awayMs: number[] = [];
  for (const afterMs of [400, 1_100]) {
    await sleep(afterMs);
    awayMs.push(await killAndRestart());
    await expectSoundBooks(orchestrator);
  }
  await eventually(
    'all are done',
    async () => {
      const page = await alice.http.get<{ items: unknown[] }>('/v1/jobs?state=queued&limit=200');
      const running = await alice.http.get<{ items: unknown[] }>('/v1/jobs?state=running');
      return page.body.items.length + running.body.items.length === 0;
    },
    60_000,
  );
  const details = await Promise.all(body.jobs.map(({ id }) => alice.job(id)));
  expect(new Set(details.map(({ state }) => state))).toEqual(new Set(['succeeded']));
  const done = await alice.job(long.id);
  expect(done.state).toBe('succeeded');
  // A restart within 8 s loses no work; on a machine that needs longer it may have begun again.
  if (awayMs.every((ms) => ms < 8_000)) {
    const begun = done.taskList[0]?.attempts.filter(({ startedAt }) => startedAt !== null);
    expect(begun, summary(done)).toHaveLength(1);
  }
  const { spent } = await alice.settled();
  const { rows } = await orchestrator.rows.query<{ spent: string }>(
    `SELECT sum(price)::text AS spent FROM charges WHERE payer = 'submitter'`,
  );
  expect(rows[0]?.spent).toBe(spent);
  await expectClosedBooks(orchestrator);
});

test('a stop that is asked for ends quickly and with 0, whoever is still connected', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'connected');
  const { id } = await alice.submit(noopJob('connected', { limits: { maxCost: 1 } }));
  const offer = await worker.begin();
  const stream = await fetch(`${orchestrator.url}/v1/jobs/${id}/events`, {
    headers: { authorization: `Bearer ${alice.http.token}` },
  });
  const reader = stream.body?.getReader();
  expect((await reader?.read())?.done).toBe(false);

  const sinceMs = performance.now();
  const ended = await orchestrator.process.stop();
  expect(ended).toMatchObject({ code: 0 });
  expect(performance.now() - sinceMs).toBeLessThan(5_000);
  expect(await worker.socket.closed).toMatchObject({ code: 1001 });
  await orchestrator.start();

  const again = await ScriptedWorker.join(orchestrator, 'connected', {
    signer: worker.signer,
    holding: [leaseOf(offer)],
  });
  expect(await again.report(offer)).toMatchObject({ status: 'stored' });
  expect(await alice.over(id)).toMatchObject({ state: 'succeeded' });
  again.drop();
});

test('after all of it the books are closed and sound', async () => {
  await alice.settled();
  await expectClosedBooks(orchestrator);
});
