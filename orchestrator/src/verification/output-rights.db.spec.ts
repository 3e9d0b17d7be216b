import type { Digest, JobId, Receipt } from '@tidemill/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ArtifactsLoop } from '../artifacts/artifacts.loop.js';
import { ArtifactsService } from '../artifacts/artifacts.service.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

const HOUR_MS = 3_600_000;

let host: StageHost;
let alice: StageSubmitter;

beforeAll(async () => {
  host = await startNetwork();
});
afterAll(() => host.stop());
// Each has a submitter of its own: what a job produced may be read by its account for good.
beforeEach(async () => {
  alice = await StageSubmitter.with(host);
});

const aliceReads = (digest: Digest) =>
  host.app.get(ArtifactsService).mayRead(
    {
      kind: 'account',
      accountId: alice.accountId,
      wallet: '',
      budgetKey: null,
      scopes: new Set(),
    },
    digest,
  );
const reads = (worker: StageWorker, digest: Digest) =>
  host.app.get(ArtifactsService).mayRead({ kind: 'worker', workerId: worker.id }, digest);
const isStored = async (digest: Digest) =>
  (await host.app.get(ArtifactsService).stat([digest])).has(digest);
/** Lets time pass and sweeps away what nobody has a right to any more. */
async function pass(ms: number): Promise<void> {
  host.clock.advance(ms);
  while (await host.app.get(ArtifactsLoop).turn());
}

/** A worker of the pool that stores this text and reports it for the next task there is. */
async function answer(pool: string, text: string, says: Partial<Receipt> = {}) {
  const worker = await StageWorker.join(host, pool);
  const offer = await worker.begin();
  const output = await worker.store(text);
  expect(await worker.report(offer, { outputs: [output], ...says })).toMatchObject({
    status: 'stored',
  });
  await worker.leave();
  return { worker, digest: output.digest };
}

const isReported = (id: JobId) =>
  alice.when(id, (job) =>
    job.taskList.some(({ attempts }) => attempts.some(({ state }) => state === 'reported')),
  );

describe('outputs', () => {
  test('are the submitter’s to read with the verdict and not before', async () => {
    const id = await alice.submit(noopJob('before', { verify: { replicate: 2 } }));
    const { digest } = await answer('before', 'right');
    await isReported(id);
    expect(await aliceReads(digest)).toBe(false);
    await answer('before', 'right');
    expect((await alice.over(id)).state).toBe('succeeded');
    expect(await aliceReads(digest)).toBe(true);
  });

  test('of a job that is not checked can be read as soon as it has succeeded', async () => {
    const id = await alice.submit(noopJob('unchecked'));
    const { digest } = await answer('unchecked', 'taken at its word');
    expect((await alice.over(id)).state).toBe('succeeded');
    expect(await aliceReads(digest)).toBe(true);
  });

  test('that were rejected are never the submitter’s to read', async () => {
    const id = await alice.submit(noopJob('rejected', { verify: { replicate: 2 } }));
    const wrong = await answer('rejected', 'wrong');
    const right = await answer('rejected', 'right as well');
    await answer('rejected', 'right as well');
    expect((await alice.over(id)).state).toBe('succeeded');
    expect([await aliceReads(wrong.digest), await aliceReads(right.digest)]).toEqual([false, true]);
  });

  test('of a failure are not results', async () => {
    const id = await alice.submit(noopJob('failed'));
    const { digest } = await answer('failed', 'half a result', {
      outcome: 'failed',
      failure: { code: 'BROKE', message: 'in the middle', fault: 'job' },
    });
    expect((await alice.over(id)).state).toBe('failed');
    expect(await aliceReads(digest)).toBe(false);
    await pass(25 * HOUR_MS);
    expect(await isStored(digest)).toBe(false);
  });
});

describe('the worker’s copy', () => {
  test('stays for as long as its verdict takes; then the job’s right keeps it', async () => {
    const id = await alice.submit(noopJob('slow', { verify: { replicate: 2 } }));
    const { worker, digest } = await answer('slow', 'slowly checked');
    await isReported(id);
    await pass(3 * 24 * HOUR_MS);
    expect([await isStored(digest), await reads(worker, digest)]).toEqual([true, true]);
    await answer('slow', 'slowly checked');
    await alice.over(id);
    await pass(25 * HOUR_MS);
    expect([await isStored(digest), await reads(worker, digest)]).toEqual([true, false]);
    expect(await aliceReads(digest)).toBe(true);
    const [usage] = await host.db.query(
      `SELECT stored_bytes FROM artifact_usage WHERE owner_kind = 'worker' AND owner_id = $1`,
      [worker.id],
    );
    expect(usage).toEqual({ stored_bytes: 0n });
  });

  test('of something wrong goes a day after the verdict', async () => {
    const id = await alice.submit(noopJob('gone', { verify: { replicate: 2 } }));
    const { digest } = await answer('gone', 'wrong and kept for nobody');
    await answer('gone', 'right and kept');
    await answer('gone', 'right and kept');
    await alice.over(id);
    expect(await isStored(digest)).toBe(true);
    await pass(25 * HOUR_MS);
    expect(await isStored(digest)).toBe(false);
  });

  test('sent again while it waits still waits', async () => {
    const id = await alice.submit(noopJob('again', { verify: { replicate: 2 } }));
    const { worker, digest } = await answer('again', 'sent twice');
    await isReported(id);
    await worker.store('sent twice');
    await pass(2 * 24 * HOUR_MS);
    expect(await isStored(digest)).toBe(true);
    await alice.cancel(id);
  });
});
