import type { AttemptView, JobDetail, Offer, Receipt } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClosedBooks } from './harness/books.js';
import { eventually } from './harness/eventually.js';
import { Http } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { sha256 } from './harness/receipts.js';
import { ScriptedWorker } from './harness/scripted-worker.js';
import { noopJob, type Submitter, submitter } from './harness/submitter.js';

const FEE_BPS = 1_000n;

let orchestrator: Orchestrator;
let alice: Submitter;

beforeAll(async () => {
  orchestrator = await startOrchestrator({
    env: { TIDEMILL_AUDIT_RATE: '1', TIDEMILL_FEE_BPS: String(FEE_BPS) },
  });
  alice = await submitter(orchestrator);
});

afterAll(async () => {
  expect(await orchestrator?.stop()).toEqual([]);
});

const RIGHT = 'the right answer';
const WRONG = 'a wrong answer';

/** A worker of the pool that answers every task with this text, which it stores first. */
async function answering(pool: string, text: string): Promise<ScriptedWorker> {
  const worker = await ScriptedWorker.join(orchestrator, pool);
  await store(worker, text);
  worker.serve(() => ({ says: saying(text) }));
  return worker;
}

async function store(worker: ScriptedWorker, text: string): Promise<void> {
  const http = new Http(orchestrator.url, worker.welcome.token);
  const headers = { 'content-type': 'application/octet-stream' };
  const { status } = await http.ask('PUT', `/v1/artifacts/${sha256(text)}`, { text, headers });
  expect([200, 201]).toContain(status);
}

const saying = (text: string): Partial<Receipt> => ({
  outputs: [{ name: 'answer', digest: sha256(text), sizeBytes: text.length }],
});

const attemptsOf = (job: JobDetail): AttemptView[] =>
  job.taskList.flatMap(({ attempts }) => attempts);
const hasReported = (job: JobDetail): boolean =>
  attemptsOf(job).some(({ state }) => state === 'reported');
const of = (attempts: readonly AttemptView[], worker: ScriptedWorker) =>
  attempts.find(({ workerId }) => workerId === worker.id);

/** The job once it is over and paid. */
async function billed(id: string): Promise<JobDetail> {
  await alice.over(id);
  await alice.when(id, 'every verdict is given and paid', (job) =>
    attemptsOf(job)
      .filter(({ receiptHash }) => receiptHash !== null)
      .every(({ verdict, price }) => verdict === 'rejected' || price !== null),
  );
  return alice.job(id);
}

async function expectOutputs(id: string, text: string): Promise<void> {
  const { body } = await alice.http.get<{ items: unknown[] }>(`/v1/jobs/${id}/outputs`);
  expect(body.items).toEqual([
    expect.objectContaining({ name: 'answer', digest: sha256(text), sizeBytes: text.length }),
  ]);
  expect((await alice.http.get(`/v1/artifacts/${sha256(text)}`)).body).toBe(text);
}

const earnedBy = async (worker: ScriptedWorker): Promise<bigint> => {
  const { body } = await alice.http.get<{ earned: string }>(`/v1/workers/${worker.id}`);
  return BigInt(body.earned);
};

const withoutFee = (price: string | null | undefined): bigint =>
  BigInt(price ?? '0') - (BigInt(price ?? '0') * FEE_BPS) / 10_000n;

describe.concurrent('with replicate: 2', () => {
  const replicated = (pool: string) =>
    noopJob(pool, { verify: { replicate: 2 }, limits: { maxCost: 1 } });

  test('two that agree are both right and both paid', async () => {
    const workers = [await answering('agree', RIGHT), await answering('agree', RIGHT)];
    const { id, verify } = await alice.submit(replicated('agree'));
    expect(verify.applied).toBe('replicate:2');
    const job = await billed(id);
    expect(job.state).toBe('succeeded');
    const attempts = attemptsOf(job);
    expect(attempts.map(({ role }) => role).sort()).toEqual(['primary', 'replica']);
    expect(new Set(attempts.map(({ workerId }) => workerId)).size).toBe(2);
    expect(attempts.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted']);
    const prices = attempts.map(({ price }) => BigInt(price ?? '0'));
    expect(BigInt(job.cost)).toBe((prices[0] ?? 0n) + (prices[1] ?? 0n));
    for (const worker of workers) {
      expect(await earnedBy(worker)).toBe(withoutFee(of(attempts, worker)?.price));
      worker.drop();
    }
    await expectOutputs(id, RIGHT);
  });

  for (const liar of ['first', 'second'] as const) {
    test(`the ${liar} of two lies: a third worker decides, and the liar is not paid`, async () => {
      const pool = `liar-${liar}`;
      const first = await answering(pool, liar === 'first' ? WRONG : RIGHT);
      const { id } = await alice.submit(replicated(pool));
      await alice.when(id, 'one has reported', hasReported);
      const second = await answering(pool, liar === 'first' ? RIGHT : WRONG);
      const disputed = await alice.when(id, 'they disagree', (job) =>
        attemptsOf(job).every(({ state }) => state === 'disputed'),
      );
      expect(disputed.state).toBe('running');
      expect(attemptsOf(disputed).map(({ verdict }) => verdict)).toEqual(['disputed', 'disputed']);
      expect((await alice.http.get(`/v1/jobs/${id}/outputs`)).body).toEqual({ items: [] });

      const referee = await answering(pool, RIGHT);
      const job = await billed(id);
      expect(job.state).toBe('succeeded');
      const attempts = attemptsOf(job);
      const [lying, honest] = liar === 'first' ? [first, second] : [second, first];
      expect(of(attempts, lying)).toMatchObject({
        state: 'rejected',
        verdict: 'rejected',
        price: null,
      });
      expect(of(attempts, honest)).toMatchObject({ state: 'accepted' });
      expect(of(attempts, referee)).toMatchObject({ role: 'referee', state: 'accepted' });
      expect(await earnedBy(lying)).toBe(0n);
      expect(await earnedBy(honest)).toBe(withoutFee(of(attempts, honest)?.price));
      // The network pays for its referee, whole and out of the fees.
      expect(await earnedBy(referee)).toBe(BigInt(of(attempts, referee)?.price ?? '0'));
      expect(job.cost).toBe(of(attempts, honest)?.price);
      await expectOutputs(id, RIGHT);
      for (const worker of [first, second, referee]) worker.drop();
    });
  }

  test('the second execution waits for a second worker, however free the first one is', async () => {
    const only = await answering('alone', RIGHT);
    const { id } = await alice.submit(replicated('alone'));
    await alice.when(id, 'one has reported', hasReported);
    const { id: other } = await alice.submit(noopJob('alone', { verify: 'none' }));
    await alice.over(other);
    expect(attemptsOf(await alice.job(id))).toHaveLength(1);
    const second = await answering('alone', RIGHT);
    const job = await billed(id);
    expect(new Set(attemptsOf(job).map(({ workerId }) => workerId))).toEqual(
      new Set([only.id, second.id]),
    );
    only.drop();
    second.drop();
  });

  test('what reported before the job was cancelled is judged, paid and over', async () => {
    const only = await answering('cancelled', RIGHT);
    const { id } = await alice.submit(replicated('cancelled'));
    await alice.when(id, 'one has reported', hasReported);
    expect((await alice.cancel(id)).status).toBe(200);
    const job = await billed(id);
    expect(job.state).toBe('cancelled');
    expect(attemptsOf(job)).toMatchObject([{ state: 'accepted' }]);
    expect(await earnedBy(only)).toBe(withoutFee(job.cost));
    await expectReleased(id);
    only.drop();
  });

  test('a copy that nobody could run fails the job, and the other copy is judged and over', async () => {
    const good = await answering('broken', RIGHT);
    const spec = { ...replicated('broken'), retry: { max: 0 } };
    const { id } = await alice.submit(spec);
    await alice.when(id, 'one has reported', hasReported);
    const failure = { code: 'DISK_FULL', message: 'no room', fault: 'worker' as const };
    const broken = await ScriptedWorker.join(orchestrator, 'broken');
    broken.serve(() => ({ says: { outcome: 'failed', failure } }));
    const job = await alice.over(id);
    expect(job).toMatchObject({ state: 'failed', reason: { code: 'ATTEMPTS_EXHAUSTED' } });
    await expectReleased(id);
    good.drop();
    broken.drop();
  });
});

/** What was held for the job and not spent has gone back, once. */
async function expectReleased(id: string): Promise<void> {
  const released = `SELECT 1 FROM ledger_entries WHERE kind = 'release' AND ref = $1`;
  await eventually('its hold is released', async () => {
    return (await orchestrator.rows.query(released, [id])).rowCount === 1;
  });
}

describe.concurrent('with the standard class and every result audited (G14)', () => {
  const standard = (pool: string) => noopJob(pool, { verify: 'standard', limits: { maxCost: 1 } });

  test('an honest result is executed again elsewhere, at the cost of the network', async () => {
    const [first, second] = [await answering('audit', RIGHT), await answering('audit', RIGHT)];
    const { id, verify } = await alice.submit(standard('audit'));
    expect(verify.applied).toBe('audit:q=1.00');
    const job = await billed(id);
    expect(job.state).toBe('succeeded');
    const attempts = attemptsOf(job);
    expect(attempts.map(({ role }) => role)).toEqual(['primary', 'audit']);
    expect(new Set(attempts.map(({ workerId }) => workerId)).size).toBe(2);
    expect(job.cost).toBe(attempts[0]?.price);
    for (const worker of [first, second]) worker.drop();
  });

  test('a liar that nobody asked for a second opinion about is caught', async () => {
    const liar = await answering('caught', WRONG);
    const { id } = await alice.submit(standard('caught'));
    await alice.when(id, 'one has reported', hasReported);
    expect((await alice.job(id)).state).toBe('running');
    const others = [await answering('caught', RIGHT), await answering('caught', RIGHT)];
    const job = await billed(id);
    const attempts = attemptsOf(job);
    expect(job.state).toBe('succeeded');
    expect(of(attempts, liar)).toMatchObject({ role: 'primary', verdict: 'rejected', price: null });
    expect(attempts.map(({ role }) => role)).toEqual(['primary', 'audit', 'referee']);
    expect(await earnedBy(liar)).toBe(0n);
    const { body } = await alice.http.get<{ results: { rejected: number } }>(
      `/v1/workers/${liar.id}`,
    );
    expect(body.results.rejected).toBe(1);
    await expectOutputs(id, RIGHT);
    for (const worker of [liar, ...others]) worker.drop();
  });

  test('a failure that only one worker sees does not fail the job', async () => {
    const says = (_: Offer) => ({
      says: {
        outcome: 'failed' as const,
        failure: { code: 'FAILED_AS_TOLD', message: '', fault: 'job' as const },
      },
    });
    const liar = await ScriptedWorker.join(orchestrator, 'blames');
    liar.serve(says);
    const { id } = await alice.submit(standard('blames'));
    await alice.when(id, 'one has reported', hasReported);
    const others = [await answering('blames', RIGHT), await answering('blames', RIGHT)];
    const job = await billed(id);
    expect(job.state).toBe('succeeded');
    await expectOutputs(id, RIGHT);
    for (const worker of [liar, ...others]) worker.drop();
  });
});

test('after all of it the books are closed and sound', async () => {
  await alice.settled();
  await expectClosedBooks(orchestrator);
});
