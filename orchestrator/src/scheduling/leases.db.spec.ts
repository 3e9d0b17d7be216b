import type { JobId, Offer } from '@tidemill/protocol';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Config } from '../config/env.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { PgDb } from '../platform/db/pg-db.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { LeasesService } from './leases.service.js';

let host: StageHost;
let alice: StageSubmitter;
/** Moves times that no role of the network may move. */
let superuser: PgDb;

beforeAll(async () => {
  host = await startNetwork();
  alice = await StageSubmitter.with(host);
  const url = host.app.get(Config).databaseUrl;
  superuser = new PgDb({ url, role: 'none', max: 1, name: 'test' }, pino({ level: 'silent' }));
});
afterAll(async () => {
  await superuser.close();
  await host.stop();
});

const leaseOf = ({ attemptId, fence }: Offer) => ({ attemptId, fence });
const used = async (id: JobId) =>
  (
    await host.db.query<{ attempts_used: number }>(
      'SELECT attempts_used FROM tasks WHERE job_id = $1',
      [id],
    )
  )[0]?.attempts_used;
/** Lets the offer's time run out. */
async function timeOut(offer: Offer): Promise<void> {
  await superuser.query(
    `UPDATE attempts SET leased_at = leased_at - interval '6 s' WHERE id = $1`,
    [offer.attemptId],
  );
  await host.app.get(LeasesService).sweep();
}

test('an offer that times out goes to another worker and costs no retry', async () => {
  const id = await alice.submit(noopJob('deaf', { retry: { max: 0 } }));
  const deaf = await StageWorker.join(host, 'deaf');
  const offer = await deaf.offer();
  expect(await used(id)).toBe(1);
  const other = await StageWorker.join(host, 'deaf');
  await timeOut(offer);
  const again = await other.begin();
  expect([again.fence, await used(id)]).toEqual([2, 1]);
  await other.report(again);
  expect((await alice.over(id)).state).toBe('succeeded');
});

test('neither does a refusal, by however many', async () => {
  const id = await alice.submit(noopJob('busy', { retry: { max: 0 } }));
  for (let i = 0; i < 4; i += 1) {
    const worker = await StageWorker.join(host, 'busy');
    await worker.say({ type: 'refuse', leases: [leaseOf(await worker.offer())], reason: 'busy' });
    await worker.leave();
  }
  const willing = await StageWorker.join(host, 'busy');
  const offer = await willing.begin();
  expect([offer.fence, await used(id)]).toEqual([5, 1]);
  await willing.report(offer);
  expect((await alice.over(id)).state).toBe('succeeded');
});

test('an offer that is accepted when its time is over is gone', async () => {
  await alice.submit(noopJob('late'));
  const late = await StageWorker.join(host, 'late');
  const offer = await late.offer();
  await timeOut(offer);
  await late.say({ type: 'accept', leases: [leaseOf(offer)] });
  const answer = late.inbox.filter(({ type }) => type === 'active').at(-1);
  expect(answer).toMatchObject({ attempts: [], gone: [offer.attemptId] });
  await late.leave();
});

test('a lost attempt costs a retry, and the last one costs the job', async () => {
  const id = await alice.submit(noopJob('lost', { retry: { max: 1 } }));
  for (const fence of [1, 2]) {
    const worker = await StageWorker.join(host, 'lost');
    const offer = await worker.begin();
    expect([offer.fence, await used(id)]).toEqual([fence, fence]);
    await host.app.get(LeasesService).forgotten(worker.id, [offer.attemptId]);
    await worker.leave();
  }
  expect(await alice.over(id)).toMatchObject({
    state: 'failed',
    reason: { code: 'ATTEMPTS_EXHAUSTED', message: 'The last of 2 attempts ended: lost.' },
    cost: '0',
  });
});

test('a receipt of a lost attempt counts while nobody else has the task, and not after', async () => {
  const early = await alice.submit(noopJob('early'));
  const worker = await StageWorker.join(host, 'early');
  const offer = await worker.begin();
  await worker.leave();
  await host.app.get(LeasesService).forgotten(worker.id, [offer.attemptId]);
  expect(await worker.report(offer)).toMatchObject({ status: 'stored' });
  expect((await alice.over(early)).state).toBe('succeeded');

  const id = await alice.submit(noopJob('overtaken'));
  const slow = await StageWorker.join(host, 'overtaken');
  const first = await slow.begin();
  await slow.leave();
  await host.app.get(LeasesService).forgotten(slow.id, [first.attemptId]);
  const quick = await StageWorker.join(host, 'overtaken');
  const second = await quick.begin();
  expect(await slow.report(first)).toMatchObject({ status: 'stale' });
  expect(await quick.report(second)).toMatchObject({ status: 'stored' });
  const job = await alice.over(id);
  expect(job.taskList[0]?.attempts.map(({ state }) => state)).toEqual(['lost', 'accepted']);
});

test('a worker that failed at a task is not given it again', async () => {
  const id = await alice.submit(noopJob('broken'));
  const broken = await StageWorker.join(host, 'broken');
  await broken.report(await broken.begin(), {
    outcome: 'failed',
    failure: { code: 'DISK_FULL', message: 'no room', fault: 'worker' },
  });
  const other = await alice.submit(noopJob('broken'));
  expect((await broken.begin()).jobId).toBe(other);
  const whole = await StageWorker.join(host, 'broken');
  const offer = await whole.begin();
  expect(offer.jobId).toBe(id);
  await whole.report(offer);
  expect((await alice.over(id)).state).toBe('succeeded');
});
