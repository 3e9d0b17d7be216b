import { randomUUID } from 'node:crypto';
import type { BatchResult, JobView } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClosedBooks } from './harness/books.js';
import { problemOf } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { eventually } from './harness/eventually.js';
import { ScriptedWorker } from './harness/scripted-worker.js';
import { noopJob, type Submitter, submitter } from './harness/submitter.js';

let orchestrator: Orchestrator;

beforeAll(async () => {
  orchestrator = await startOrchestrator();
});

afterAll(async () => {
  expect(await orchestrator?.stop()).toEqual([]);
});

/** What a job with the usual limits sets aside: a minute of a tenth of a core, at 1.5 times the only ask. */
const HOLD = 90_000n;

async function poolWith(name: string): Promise<ScriptedWorker> {
  const worker = await ScriptedWorker.join(orchestrator, name);
  worker.serve();
  return worker;
}

/** A job that no worker can run, but that has a price: it stays queued. */
const stuckJob = (maxCost = 1) => noopJob('nobody', { limits: { maxCost } });

describe.concurrent('submitting twice is submitting once (G2)', () => {
  test('the same key and body give the same answer, and one job', async () => {
    const alice = await submitter(orchestrator);
    const key = randomUUID();
    const first = await alice.post(stuckJob(), key);
    const second = await alice.post(stuckJob(), key);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect((await alice.account()).held).toBe('1000000');
    await alice.cancel(first.body.id);
  });

  test('ten at the same moment are one', async () => {
    const alice = await submitter(orchestrator);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => alice.post(stuckJob(), key)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const { body } = await alice.http.get<{ items: JobView[] }>('/v1/jobs');
    expect(body.items).toHaveLength(1);
    expect((await alice.account()).held).toBe('1000000');
    await alice.cancel(answers[0]?.body.id ?? '');
  });

  test('the same key with another body or another operation is refused and changes nothing', async () => {
    const alice = await submitter(orchestrator);
    const key = randomUUID();
    const { body } = await alice.post(stuckJob(), key);
    const other = await alice.post(stuckJob(2), key);
    expect(problemOf(other)).toMatchObject({ status: 409, code: 'IDEMPOTENCY_MISMATCH' });
    const batch = await alice.http.post(
      '/v1/jobs/batch',
      { jobs: [stuckJob()] },
      { 'idempotency-key': key },
    );
    expect(problemOf(batch).code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await alice.account()).held).toBe('1000000');
    await alice.cancel(body.id);
  });

  test('two submitters may use the same key', async () => {
    const [alice, bob] = [await submitter(orchestrator), await submitter(orchestrator)];
    const key = randomUUID();
    const [hers, his] = [await alice.post(stuckJob(), key), await bob.post(stuckJob(), key)];
    expect(his.status).toBe(201);
    expect(his.body.id).not.toBe(hers.body.id);
    await alice.cancel(hers.body.id);
    await bob.cancel(his.body.id);
  });

  test('a batch is one request', async () => {
    const alice = await submitter(orchestrator);
    const headers = { 'idempotency-key': randomUUID() };
    const jobs = [stuckJob(), stuckJob(), stuckJob()];
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => alice.http.post<BatchResult>('/v1/jobs/batch', { jobs }, headers)),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const ids = answers.map(({ body }) => body.jobs.map(({ id }) => id));
    expect(new Set(ids.flat()).size).toBe(3);
    expect((await alice.account()).held).toBe('3000000');
    for (const id of ids[0] ?? []) await alice.cancel(id);
  });

  test('a request that was refused does not use up its key', async () => {
    const alice = await submitter(orchestrator, 0);
    const key = randomUUID();
    expect((await alice.post(stuckJob(), key)).status).toBe(402);
    expect((await alice.post(stuckJob(), key)).status).toBe(402);
  });
});

describe.concurrent('what cannot be accepted is refused with its reason', () => {
  test('a hold above the balance names the missing amount to the unit (G8)', async () => {
    const alice = await submitter(orchestrator, 1);
    const answer = await alice.post(stuckJob(2.5));
    expect(problemOf(answer)).toMatchObject({
      status: 402,
      code: 'INSUFFICIENT_FUNDS',
      missing: '1500000',
    });
    expect(await alice.account()).toMatchObject({ available: '1000000', held: '0' });
  });

  test('a batch that is too dear as a whole is refused as a whole (G1)', async () => {
    const alice = await submitter(orchestrator, 2);
    const jobs = [stuckJob(), stuckJob(), stuckJob()];
    const answer = await alice.http.post('/v1/jobs/batch', { jobs });
    expect(problemOf(answer)).toMatchObject({ code: 'INSUFFICIENT_FUNDS', missing: '1000000' });
    expect((await alice.account()).available).toBe('2000000');
    expect((await alice.http.get<{ items: unknown[] }>('/v1/jobs')).body.items).toEqual([]);
  });

  test('parallel jobs cannot spend the same tokens twice (G8)', async () => {
    const alice = await submitter(orchestrator, 3);
    const answers = await Promise.all(Array.from({ length: 10 }, () => alice.post(stuckJob())));
    const accepted = answers.filter(({ status }) => status === 201);
    expect(accepted).toHaveLength(3);
    for (const refused of answers.filter(({ status }) => status !== 201)) {
      expect(problemOf(refused)).toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    }
    expect(await alice.account()).toMatchObject({ available: '0', held: '3000000' });
    for (const { body } of accepted) await alice.cancel(body.id);
  });

  test('a job without a price that can be derived says what removed the workers', async () => {
    const alice = await submitter(orchestrator);
    const answer = await alice.post(noopJob('no-such-card'));
    expect(problemOf(answer)).toMatchObject({ status: 422, code: 'NO_PRICE' });
  });

  test('a deadline in the past is refused', async () => {
    const alice = await submitter(orchestrator);
    const limits = { deadline: '2020-01-01T00:00:00Z', maxCost: 1 };
    const answer = await alice.post(noopJob('nobody', { limits }));
    expect(problemOf(answer)).toMatchObject({ status: 422, code: 'DEADLINE_PASSED' });
  });

  test('a batch names the job that is wrong', async () => {
    const alice = await submitter(orchestrator);
    const jobs = [stuckJob(), noopJob('no-such-card')];
    const answer = await alice.http.post('/v1/jobs/batch', { jobs });
    expect(problemOf(answer)).toMatchObject({
      code: 'NO_PRICE',
      detail: expect.stringMatching(/^jobs\.1:/),
    });
    expect((await alice.account()).held).toBe('0');
  });
});

describe.concurrent('a job that ends early', () => {
  test('expires at its deadline and gives its hold back', async () => {
    const alice = await submitter(orchestrator);
    const deadline = new Date(Date.now() + 1_500).toISOString();
    const { id } = await alice.submit(noopJob('nobody', { limits: { deadline, maxCost: 1 } }));
    expect((await alice.account()).held).toBe('1000000');
    const job = await alice.over(id);
    expect(job).toMatchObject({ state: 'expired', reason: { code: 'DEADLINE_PASSED' }, cost: '0' });
    expect(Date.parse(job.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(deadline));
    expect(await alice.settled()).toMatchObject({ available: '1000000000', spent: '0' });
  });

  test('is cancelled while it waits, once, however often it is asked', async () => {
    const alice = await submitter(orchestrator);
    const { id } = await alice.submit(stuckJob());
    const answers = await Promise.all([1, 2, 3].map(() => alice.cancel(id)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(({ body }) => body.state)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect((await alice.cancel(id)).body.state).toBe('cancelled');
    expect(await alice.settled()).toMatchObject({ available: '1000000000' });
    const releases = (await alice.entries()).filter(({ kind }) => kind === 'release');
    expect(releases).toHaveLength(1);
  });

  test('is cancelled while it runs: its worker is told, and what it still says earns nothing', async () => {
    const worker = await ScriptedWorker.join(orchestrator, 'cancelled');
    const alice = await submitterWithPrice('cancelled');
    const { id } = await alice.submit(noopJob('cancelled'));
    const offer = await worker.begin();
    await alice.when(id, 'it runs', ({ state }) => state === 'running');
    expect((await alice.cancel(id)).body.state).toBe('cancelled');
    expect(await worker.stopped(offer, 3_000)).toMatchObject({ reason: 'cancelled' });
    expect(await worker.report(offer)).toMatchObject({ status: 'stale' });
    expect(await alice.settled()).toMatchObject({ available: '1000000000', spent: '0' });
    expect((await alice.job(id)).taskList[0]).toMatchObject({
      state: 'cancelled',
      attempts: [{ state: 'cancelled', price: null }],
    });
    worker.drop();
  });

  test('stays as it is once it is over: cancelling it then is a conflict', async () => {
    const worker = await poolWith('finished');
    const alice = await submitterWithPrice('finished');
    const job = await alice.submit(noopJob('finished'));
    expect(BigInt(job.hold)).toBe(HOLD);
    await alice.over(job.id);
    expect(problemOf(await alice.cancel(job.id))).toMatchObject({ status: 409, code: 'CONFLICT' });
    expect((await alice.job(job.id)).state).toBe('succeeded');
    worker.drop();
  });

  test('fails when its attempts are used up, and gives its hold back (G3)', async () => {
    const workers = [await ScriptedWorker.join(orchestrator, 'broken')];
    workers.push(await ScriptedWorker.join(orchestrator, 'broken'));
    for (const worker of workers) {
      worker.serve(() => ({
        says: {
          outcome: 'failed',
          failure: { code: 'DISK_FULL', message: 'no room', fault: 'worker' },
        },
      }));
    }
    const alice = await submitterWithPrice('broken');
    const { id } = await alice.submit(noopJob('broken', { retry: { max: 1 } }));
    const job = await alice.over(id);
    expect(job).toMatchObject({ state: 'failed', reason: { code: 'ATTEMPTS_EXHAUSTED' } });
    const attempts = job.taskList[0]?.attempts ?? [];
    expect(attempts.map(({ number, state }) => [number, state])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
    ]);
    // Whoever could not do it is not asked again.
    expect(new Set(attempts.map(({ workerId }) => workerId)).size).toBe(2);
    expect(await alice.settled()).toMatchObject({ available: '1000000000', spent: '0' });
    for (const worker of workers) worker.drop();
  });

  async function submitterWithPrice(pool: string): Promise<Submitter> {
    const alice = await submitter(orchestrator);
    // Asks are kept for a second, so a job right after its worker joined may find no price.
    await eventually(
      'the job has a price',
      async () => (await alice.http.post('/v1/jobs/plan', noopJob(pool))).status === 200,
    );
    return alice;
  }
});

test('after all of it the books are closed and sound', async () => {
  await expectClosedBooks(orchestrator);
});
