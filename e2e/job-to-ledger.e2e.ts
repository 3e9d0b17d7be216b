import {
  type BatchResult,
  type CheckpointView,
  decodeBase58,
  hexToBytes,
  type InclusionProofView,
  type JobDetail,
  leafHash,
  type TrailEventView,
  trailDigest,
  verifyInclusion,
  type WorkerView,
} from '@tidemill/protocol';
import { checkpointBytes } from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClosedBooks } from './harness/books.js';
import { eventually } from './harness/eventually.js';
import { Http } from './harness/http.js';
import { NETWORK, type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { type RealWorker, realWorker } from './harness/real-worker.js';
import { noopJob, type Submitter, submitter } from './harness/submitter.js';

const FEE_BPS = 500n;

let orchestrator: Orchestrator;
let worker: RealWorker;
let alice: Submitter;

beforeAll(async () => {
  orchestrator = await startOrchestrator({ env: { TIDEMILL_FEE_BPS: String(FEE_BPS) } });
  worker = await realWorker(orchestrator, 'worker-1');
  alice = await submitter(orchestrator);
});

afterAll(async () => {
  await worker?.process.stop();
  expect(await orchestrator?.stop()).toEqual([]);
});

const publicly = () => new Http(orchestrator.url);
const earned = async () =>
  BigInt((await publicly().get<WorkerView>(`/v1/workers/${worker.id}`)).body.earned);

describe('one job on a real worker', () => {
  let job: JobDetail;

  beforeAll(async () => {
    const { id } = await alice.submit(
      noopJob(null, { name: 'one', runtime: { noop: { sleepMs: 300 } } }),
    );
    await alice.over(id);
    await alice.settled();
    job = await alice.job(id);
  });

  test('reaches its end with every step on record (G1)', () => {
    expect(job).toMatchObject({
      state: 'succeeded',
      name: 'one',
      reason: null,
      tasks: { total: 1, succeeded: 1, running: 0 },
      verify: { applied: 'none' },
    });
    const [task] = job.taskList;
    expect(task).toMatchObject({ index: 0, state: 'succeeded' });
    expect(task?.attempts).toHaveLength(1);
    const [attempt] = task?.attempts ?? [];
    expect(attempt).toMatchObject({
      number: 1,
      role: 'primary',
      workerId: worker.id,
      fence: 1,
      state: 'accepted',
      verdict: 'accepted',
      receiptHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      decisionId: expect.stringMatching(/^dec_/),
    });
    const times = [
      job.createdAt,
      attempt?.leasedAt,
      attempt?.startedAt,
      attempt?.finishedAt,
      job.finishedAt,
    ];
    expect(times).not.toContain(null);
    expect([...times].sort()).toEqual(times);
  });

  test('costs its metered time, and the fee comes out of the price (G8)', async () => {
    const price = BigInt(job.cost);
    const [attempt] = job.taskList[0]?.attempts ?? [];
    expect(attempt?.price).toBe(job.cost);
    // One unit a millisecond for a tenth of a core at this ask.
    const leasedMs = Date.parse(attempt?.finishedAt ?? '') - Date.parse(attempt?.startedAt ?? '');
    expect(price).toBeGreaterThanOrEqual(300n);
    expect(price).toBeLessThanOrEqual(BigInt(leasedMs) + 1n);

    const account = await alice.account();
    expect(account).toMatchObject({ held: '0', spent: job.cost, granted: '1000000000' });
    expect(BigInt(account.available) + BigInt(account.spent)).toBe(1_000_000_000n);
    expect(await earned()).toBe(price - (price * FEE_BPS) / 10_000n);

    const entries = await alice.entries();
    const kinds = entries
      .filter(({ ref }) => ref === job.id || ref === attempt?.id)
      .map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['charge', 'hold']);
    for (const { postings } of entries) {
      expect(postings.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(0n);
    }
  });

  test('shows why the task went to this worker (G16)', async () => {
    const decisionId = job.taskList[0]?.attempts[0]?.decisionId;
    const { status, body } = await alice.http.get<{
      place: number | null;
      record: Record<string, unknown>;
    }>(`/v1/decisions/${decisionId}`);
    expect(status).toBe(200);
    expect(body.record).toMatchObject({
      job: job.id,
      worker: worker.id,
      fence: 1,
      considered: 1,
      candidates: [[worker.id, expect.any(Number)]],
    });
    const bob = await submitter(orchestrator, 0);
    expect((await bob.http.get(`/v1/decisions/${decisionId}`)).status).toBe(404);
  });
});

test('a batch of 100 jobs is accepted whole, run, and billed to the unit (G1, G9)', async () => {
  const before = { account: await alice.account(), earned: await earned() };
  const jobs = Array.from({ length: 100 }, (_, i) => noopJob(null, { name: `many-${i}` }));
  const { status, body } = await alice.http.post<BatchResult>('/v1/jobs/batch', { jobs });
  expect(status).toBe(201);
  expect(new Set(body.jobs.map(({ id }) => id)).size).toBe(100);

  await eventually(
    'all 100 are over',
    async () => {
      const { body: page } = await alice.http.get<{ items: unknown[] }>(
        '/v1/jobs?state=succeeded&limit=200',
      );
      return page.items.length >= 101;
    },
    60_000,
  );
  const account = await alice.settled();
  const details = await Promise.all(body.jobs.map(({ id }) => alice.job(id)));
  expect(new Set(details.map(({ state }) => state))).toEqual(new Set(['succeeded']));
  for (const { taskList } of details)
    expect(taskList.map(({ attempts }) => attempts.length)).toEqual([1]);

  const prices = details.map(({ cost }) => BigInt(cost));
  const cost = prices.reduce((sum, price) => sum + price, 0n);
  const fees = prices.reduce((sum, price) => sum + (price * FEE_BPS) / 10_000n, 0n);
  expect(BigInt(account.spent) - BigInt(before.account.spent)).toBe(cost);
  expect((await earned()) - before.earned).toBe(cost - fees);
  await expectClosedBooks(orchestrator);
});

test('a failure of the job\u2019s own code is final, billed and not tried again', async () => {
  const { id } = await alice.submit(
    noopJob(null, { runtime: { noop: { sleepMs: 50, fail: 'as asked' } } }),
  );
  const job = await alice.over(id);
  expect(job).toMatchObject({ state: 'failed', reason: { code: 'FAILED_AS_TOLD' } });
  await alice.settled();
  const billed = await alice.job(id);
  expect(billed.taskList[0]?.attempts).toHaveLength(1);
  expect(BigInt(billed.cost)).toBeGreaterThanOrEqual(50n);
});

test('lists go page by page and repeat nothing', async () => {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await alice.http.get<{ items: { id: string }[]; nextCursor: string | null }>(
      `/v1/jobs?limit=30${more}`,
    );
    seen.push(...body.items.map(({ id }) => id));
    cursor = body.nextCursor;
  }
  expect(seen).toHaveLength(102);
  expect([...new Set(seen)].sort().reverse()).toEqual(seen);
});

test('every step is in the trail, and each event is proven to be under the signed checkpoint (G15)', async () => {
  const { id } = await alice.submit(noopJob(null));
  const job = await alice.over(id);
  await alice.settled();
  const attemptId = job.taskList[0]?.attempts[0]?.id ?? '';

  // A stop signs what there is, so that the test does not wait a minute for the next checkpoint.
  const ended = await orchestrator.process.stop();
  expect(ended).toMatchObject({ code: 0 });
  await orchestrator.start();

  const checkpoint = (await publicly().get<CheckpointView>('/v1/trail/checkpoint')).body;
  const { network, size, root, chain, at, publicKey, signature } = checkpoint;
  expect(network).toBe(NETWORK);
  const signedBytes = checkpointBytes({ network, size, root, chain, atMs: Date.parse(at) });
  const verify = nodeVerifier();
  const bytesOf = (text: string) => decodeBase58(text) ?? new Uint8Array();
  expect(verify(bytesOf(publicKey), signedBytes, bytesOf(signature))).toBe(true);

  const events = await wholeTrail();
  const mine = events.filter(({ subject }) => subject === id || subject === attemptId);
  // Nothing is drawn or compared about an unchecked job, so its receipt is named by its verdict.
  expect(mine.map(({ kind }) => kind)).toEqual([
    'job.accepted',
    'task.placed',
    'verdict.given',
    'ledger.booked',
  ]);
  expect(JSON.parse(mine[2]?.body ?? '{}')).toMatchObject({
    receipt: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  for (const event of mine) {
    const { place } = event;
    expect(place).toBeLessThan(size);
    const digest = trailDigest({ ...event, atMs: Date.parse(event.at) }, nodeSha256);
    expect(Buffer.from(digest).toString('hex')).toBe(event.digest);
    const proof = (
      await publicly().get<InclusionProofView>(
        `/v1/trail/proof/inclusion?place=${place}&size=${size}`,
      )
    ).body;
    const path = proof.path.map(hexToBytes);
    const leaf = leafHash(digest, nodeSha256);
    const proven = { leaf, index: place ?? -1, size, path, root: hexToBytes(root) };
    expect(verifyInclusion(proven, nodeSha256)).toBe(true);
    const other = { ...proven, leaf: leafHash(hexToBytes(checkpoint.root), nodeSha256) };
    expect(verifyInclusion(other, nodeSha256)).toBe(false);
  }
});

async function wholeTrail(): Promise<TrailEventView[]> {
  const events: TrailEventView[] = [];
  for (let from: string | null = '0'; from !== null;) {
    const { body }: { body: { items: TrailEventView[]; nextCursor: string | null } } =
      await publicly().get(`/v1/trail?from=${from}&limit=1000`);
    events.push(...body.items);
    from = body.nextCursor;
  }
  expect(events.map(({ place }) => place)).toEqual(events.map((_, i) => i));
  return events;
}
