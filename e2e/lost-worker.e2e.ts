import { setTimeout as sleep } from 'node:timers/promises';
import { TIMING } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClosedBooks } from './harness/books.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { leaseOf, ScriptedWorker } from './harness/scripted-worker.js';
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

/** A job of a pool whose only worker runs it. */
async function startedOn(pool: string) {
  const first = await ScriptedWorker.join(orchestrator, pool);
  const { id } = await alice.submit(noopJob(pool, { limits: { maxCost: 1 } }));
  const offer = await first.begin();
  return { first, id, offer };
}

/** Milliseconds until another worker of the pool is offered the task. */
async function takenOverBy(second: ScriptedWorker, deadlineMs: number) {
  const sinceMs = performance.now();
  const offer = await second.offer(deadlineMs);
  return { offer, afterMs: performance.now() - sinceMs };
}

describe.concurrent('a worker that is lost', () => {
  test('is replaced within 5 s when its socket closes (G3, G5)', async () => {
    const { first, id, offer } = await startedOn('closed');
    const second = await ScriptedWorker.join(orchestrator, 'closed');
    first.drop();
    const taken = await takenOverBy(second, 5_000);
    // Not before the time it has to come back.
    expect(taken.afterMs).toBeGreaterThan(TIMING.reconnectMs - 250);
    expect(taken.offer).toMatchObject({ taskId: offer.taskId, fence: offer.fence + 1 });
    await second.accept(taken.offer);
    await second.report(taken.offer);
    const job = await alice.over(id);
    expect(job.state).toBe('succeeded');
    expect(job.taskList[0]?.attempts.map(({ number, state }) => [number, state])).toEqual([
      [1, 'lost'],
      [2, expect.stringMatching(/accepted|reported/)],
    ]);
    second.drop();
  });

  test('is replaced within 18 s of its last heartbeat when it falls silent (G5)', async () => {
    const { first, id, offer } = await startedOn('silent');
    const second = await ScriptedWorker.join(orchestrator, 'silent');
    first.beat();
    first.fallSilent();
    const taken = await takenOverBy(second, 18_000);
    expect(taken.afterMs).toBeGreaterThan(TIMING.selfStopMs);

    await second.accept(taken.offer);
    // The old attempt comes back after its task has moved: it is kept as evidence and earns nothing (G4).
    // By a new login, as a worker does: the old session ends at its first word, sometimes before the answer to it.
    const receipt = first.receipt(offer);
    first.drop();
    const again = await ScriptedWorker.join(orchestrator, 'elsewhere', { signer: first.signer });
    expect(await again.report(offer, receipt)).toMatchObject({ status: 'stale' });
    await second.report(taken.offer);
    const job = await alice.when(id, 'it is billed', ({ cost }) => cost !== '0');
    const [lost, done] = job.taskList[0]?.attempts ?? [];
    expect(lost).toMatchObject({ state: 'lost', price: null, verdict: null, receiptHash: null });
    expect(done).toMatchObject({ state: 'accepted', workerId: second.id });
    const evidence = await orchestrator.rows.query(
      'SELECT code FROM receipts_refused WHERE attempt_id = $1',
      [offer.attemptId],
    );
    expect(evidence.rows).toEqual([{ code: 'STALE_FENCE' }]);
    again.drop();
    second.drop();
  });

  test('may still report as long as nobody else has its task: only the fence decides (G4)', async () => {
    const { first, id, offer } = await startedOn('late');
    const receipt = first.receipt(offer);
    first.drop();
    await alice.when(id, 'its attempt is lost', (job) => {
      return job.taskList[0]?.attempts[0]?.state === 'lost';
    });
    const again = await ScriptedWorker.join(orchestrator, 'elsewhere', { signer: first.signer });
    expect(again.id).toBe(first.id);
    expect(again.welcome.kept).toEqual([]);
    expect(await again.report(offer, receipt)).toMatchObject({ status: 'stored' });
    const job = await alice.over(id);
    expect(job).toMatchObject({ state: 'succeeded' });
    expect(job.taskList[0]?.attempts).toHaveLength(1);
    again.drop();
  });

  test('keeps its attempt when it is back within 3 s (G5)', async () => {
    const { first, id, offer } = await startedOn('back');
    const second = await ScriptedWorker.join(orchestrator, 'back');
    first.drop();
    await sleep(1_500);
    const again = await ScriptedWorker.join(orchestrator, 'back', {
      signer: first.signer,
      holding: [leaseOf(offer)],
    });
    expect(again.welcome).toMatchObject({ kept: [offer.attemptId], gone: [] });
    await expect(second.offer(5_000)).rejects.toThrow(/still not/);
    expect(await again.report(offer)).toMatchObject({ status: 'stored' });
    const job = await alice.over(id);
    expect(job.taskList[0]?.attempts).toHaveLength(1);
    again.drop();
    second.drop();
  });

  test('is told what is not its own any more when it comes back too late (G4)', async () => {
    const { first, id, offer } = await startedOn('toolate');
    const second = await ScriptedWorker.join(orchestrator, 'toolate');
    first.drop();
    const { offer: moved } = await takenOverBy(second, 5_000);
    const again = await ScriptedWorker.join(orchestrator, 'toolate', {
      signer: first.signer,
      holding: [leaseOf(offer)],
    });
    expect(again.welcome).toMatchObject({ kept: [], gone: [offer.attemptId] });
    await second.accept(moved);
    await second.report(moved);
    expect((await alice.over(id)).state).toBe('succeeded');
    again.drop();
    second.drop();
  });

  test('that no longer names an attempt has given it up (G3)', async () => {
    const { first, id, offer } = await startedOn('forgetful');
    const second = await ScriptedWorker.join(orchestrator, 'forgetful');
    first.say({ type: 'drain' });
    first.forget(offer);
    first.beat();
    first.beat();
    const taken = await takenOverBy(second, 5_000);
    expect(taken.offer.taskId).toBe(offer.taskId);
    await second.accept(taken.offer);
    await second.report(taken.offer);
    expect((await alice.over(id)).state).toBe('succeeded');
    first.drop();
    second.drop();
  });
});

test.concurrent(
  'a worker that never ends is not waited for much longer than the job allows (G3)',
  async () => {
    const endless = await ScriptedWorker.join(orchestrator, 'endless');
    const limits = { maxCost: 1, maxDuration: '1s' };
    const { id } = await alice.submit(noopJob('endless', { limits }));
    const offer = await endless.begin();
    const second = await ScriptedWorker.join(orchestrator, 'endless');
    const taken = await takenOverBy(second, 20_000);
    expect(taken.offer.taskId).toBe(offer.taskId);
    expect(await endless.stopped(offer)).toMatchObject({ reason: 'lost' });
    await second.accept(taken.offer);
    await second.report(taken.offer);
    expect((await alice.over(id)).state).toBe('succeeded');
    expect(await endless.report(offer)).toMatchObject({ status: 'stale' });
    endless.drop();
    second.drop();
  },
);

describe.concurrent('an offer that is not taken', () => {
  test('goes elsewhere after 5 s and costs no retry (G3)', async () => {
    const cheap = { gpuHour: '0', cpuHour: '1' };
    const deaf = await ScriptedWorker.join(orchestrator, 'deaf', { profile: { asks: cheap } });
    const { id } = await alice.submit(
      noopJob('deaf', { retry: { max: 0 }, limits: { maxCost: 1 } }),
    );
    await deaf.offer();
    // It hears everything else and stays the cheapest, and still does not keep the task.
    const second = await ScriptedWorker.join(orchestrator, 'deaf');
    const taken = await takenOverBy(second, TIMING.offerMs + 3_000);
    await second.accept(taken.offer);
    await second.report(taken.offer);
    const job = await alice.over(id);
    expect(job.state).toBe('succeeded');
    expect(job.taskList[0]?.attempts).toMatchObject([
      { number: 1, workerId: deaf.id, state: 'cancelled', startedAt: null, price: null },
      { number: 1, workerId: second.id },
    ]);
    deaf.drop();
    second.drop();
  });

  test('goes elsewhere at once when it is refused, and costs no retry (G3)', async () => {
    const busy = await ScriptedWorker.join(orchestrator, 'busy');
    const { id } = await alice.submit(
      noopJob('busy', { retry: { max: 0 }, limits: { maxCost: 1 } }),
    );
    const offer = await busy.offer();
    busy.say({ type: 'drain' });
    const second = await ScriptedWorker.join(orchestrator, 'busy');
    busy.refuse(offer);
    const taken = await second.begin(3_000);
    expect(taken).toMatchObject({ taskId: offer.taskId, fence: offer.fence + 1 });
    await second.report(taken);
    const job = await alice.over(id);
    expect(job.state).toBe('succeeded');
    expect(job.taskList[0]?.attempts.map(({ number, state }) => [number, state])).toEqual([
      [1, 'cancelled'],
      [1, expect.stringMatching(/accepted|reported/)],
    ]);
    busy.drop();
    second.drop();
  });

  test('is taken back from a worker whose socket closes before it answers, and costs no retry (G3)', async () => {
    const first = await ScriptedWorker.join(orchestrator, 'gone');
    const { id } = await alice.submit(
      noopJob('gone', { retry: { max: 0 }, limits: { maxCost: 1 } }),
    );
    await first.offer();
    first.drop();
    const again = await ScriptedWorker.join(orchestrator, 'gone', { signer: first.signer });
    const offer = await again.begin(10_000);
    await again.report(offer);
    expect((await alice.over(id)).state).toBe('succeeded');
    again.drop();
  });
});

test('a drained worker is given nothing new and finishes what it has', async () => {
  const { first, id, offer } = await startedOn('draining');
  first.say({ type: 'drain' });
  await expect
    .poll(
      async () => (await alice.http.get<{ state: string }>(`/v1/workers/${first.id}`)).body.state,
    )
    .toBe('draining');
  const { id: next } = await alice.submit(noopJob('draining', { limits: { maxCost: 1 } }));
  expect(await first.report(offer)).toMatchObject({ status: 'stored' });
  expect((await alice.over(id)).state).toBe('succeeded');
  expect((await alice.job(next)).state).toBe('queued');
  await alice.cancel(next);
  first.drop();
});

test('after all of it the books are closed and sound', async () => {
  await alice.settled();
  await expectClosedBooks(orchestrator);
});
