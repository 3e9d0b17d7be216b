import type { Digest, JobId } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ArtifactsService } from '../artifacts/artifacts.service.js';
import { IntakeService } from '../artifacts/intake.service.js';
import { digestOf } from '../artifacts/testing/artifact-calls.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

const MINUTE_MS = 60_000;

let host: StageHost;
let alice: StageSubmitter;
let digest: Digest;

beforeAll(async () => {
  host = await startNetwork();
  alice = await StageSubmitter.with(host);
  const bytes = Buffer.from('what the job reads');
  digest = digestOf(bytes);
  await host.app
    .get(IntakeService)
    .put({ kind: 'account', id: alice.accountId }, digest, chunks(bytes));
});
afterAll(() => host.stop());

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

const reads = (worker: StageWorker) =>
  host.app.get(ArtifactsService).mayRead({ kind: 'worker', workerId: worker.id }, digest);

/** A job whose task reads the artifact; it is placed once a worker joins the pool. */
async function reading(pool: string): Promise<JobId> {
  const id = await alice.submit(noopJob(pool, { limits: { maxDuration: '10m', maxCost: '1' } }));
  const owner = await host.db.query(
    `UPDATE tasks SET inputs = $2 WHERE job_id = $1 AND waiting RETURNING 1`,
    [id, JSON.stringify([{ digest, sizeBytes: 18 }])],
  );
  expect(owner).toHaveLength(1);
  return id;
}

test('a worker reads the inputs of what it is offered, and nobody else does', async () => {
  await reading('one');
  const worker = await StageWorker.join(host, 'one');
  const bystander = await StageWorker.join(host, 'another');
  const offer = await worker.begin();
  expect(offer.inputs).toEqual([{ digest, sizeBytes: 18 }]);
  expect([await reads(worker), await reads(bystander)]).toEqual([true, false]);
});

test('it reads them for as long as the attempt may last, and not for ever', async () => {
  await reading('long');
  const worker = await StageWorker.join(host, 'long');
  await worker.begin();
  host.clock.advance(20 * MINUTE_MS);
  expect(await reads(worker)).toBe(true);
  host.clock.advance(10 * MINUTE_MS);
  expect(await reads(worker)).toBe(false);
});

test('a later attempt that reads the same prolongs the right', async () => {
  await reading('twice');
  const worker = await StageWorker.join(host, 'twice');
  await worker.report(await worker.begin());
  await worker.leave();
  host.clock.advance(20 * MINUTE_MS);
  await reading('twice');
  await (await worker.rejoin()).begin();
  host.clock.advance(20 * MINUTE_MS);
  expect(await reads(worker)).toBe(true);
});
