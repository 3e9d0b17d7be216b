import { holdOf } from '@tidemill/core/ledger';
import type { JobSpec } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { call, login } from '../identity/testing/wallet.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { PlanService } from './plan.service.js';

let host: StageHost;
let submitter: StageSubmitter;
beforeAll(async () => {
  host = await startNetwork();
  submitter = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

const plan = (spec: JobSpec) => host.app.get(PlanService).plan(submitter.accountId, spec);
/** Workers are counted anew once a second. */
const planned = (spec: JobSpec) => expect.poll(() => plan(spec), { timeout: 10_000 });
/** Starts of other tests are not these starts. */
const forget = () => host.db.query(`UPDATE attempts SET started_at = NULL`);

test('a plan counts what each constraint removed, and holds the dearest the job can become', async () => {
  await StageWorker.join(host, 'wanted');
  await StageWorker.join(host, 'other');
  const limits = { maxPricePerCpuHour: '40', maxDuration: '10m' };
  await planned({ ...noopJob('wanted'), limits }).toMatchObject({
    consideredWorkers: 2,
    feasibleWorkers: 1,
    removedBy: [{ constraint: 'gpu_model', removed: 1, relax: 'resources.gpuModels' }],
    hold: String(holdOf({ gpuMilli: 0, cpuMilli: 100 }, 40_000_000n, 600_000, 1)),
    balance: { missing: '0' },
  });
  const poor = await StageSubmitter.with(host, 1);
  const { balance, hold } = await host.app
    .get(PlanService)
    .plan(poor.accountId, noopJob('wanted', { limits: { maxCost: '3' } }));
  expect([hold, balance]).toEqual(['3000000', { available: '1000000', missing: '2000000' }]);
});

test('a plan names no start before enough jobs have started, and then how they did', async () => {
  const worker = await StageWorker.join(host, 'warm');
  await forget();
  await planned(noopJob('warm')).toMatchObject({
    expectedStart: { estimate: null, reason: expect.stringContaining('only 0 jobs have started') },
  });

  for (let i = 0; i < 20; i += 1) {
    const id = await submitter.submit(noopJob('warm', { verify: 'none' }));
    await worker.report(await worker.begin());
    await submitter.over(id);
  }
  await host.db.query(
    `UPDATE attempts SET started_at = jobs.created_at + interval '4 seconds' FROM jobs WHERE jobs.id = attempts.job_id AND attempts.worker_id = $1`,
    [worker.id],
  );
  const beforeMs = host.clock.nowMs();
  const { estimate } = (await plan(noopJob('warm'))).expectedStart;
  expect(estimate?.basis).toBe('warm');
  for (const at of [estimate?.p50, estimate?.p90]) {
    expect(Date.parse(at ?? '') - beforeMs).toBeGreaterThanOrEqual(3_999);
    expect(Date.parse(at ?? '') - beforeMs).toBeLessThan(9_000);
  }
});

test('a plan behind a queue says what waits, and names a start once it is known how long that takes', async () => {
  const worker = await StageWorker.join(host, 'full', { slots: 1 });
  await submitter.submit(noopJob('full', { verify: 'none' }));
  const waiting = await submitter.submit(noopJob('full', { verify: 'none' }));
  await planned(noopJob('full')).toMatchObject({
    feasibleWorkers: 1,
    expectedStart: {
      estimate: null,
      reason: expect.stringMatching(
        /^0 of 1 suitable workers are free and 1 tasks wait ahead; only 0/,
      ),
    },
  });
  await host.db.query(
    `INSERT INTO attempts (id, task_id, job_id, worker_id, number, fence, state, live, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, gpu_ask, cpu_ask, started_at, finished_at)
     SELECT 'att_ran' || n, 'tsk_ran' || n, 'job_ran', $1, 1, 1, 'accepted', false, 0, 0, 0, 0, 0, 0, 0, now() - interval '8 seconds', now()
     FROM generate_series(1, 20) AS n`,
    [worker.id],
  );
  const beforeMs = host.clock.nowMs();
  const { estimate } = (await plan(noopJob('full'))).expectedStart;
  expect(estimate?.basis).toBe('queue');
  // One runs and one waits ahead, eight seconds each.
  expect(Date.parse(estimate?.p50 ?? '') - beforeMs).toBeGreaterThanOrEqual(15_900);
  expect(Date.parse(estimate?.p90 ?? '') - beforeMs).toBeLessThan(30_000);

  const { token } = await login(host, submitter.wallet);
  const { body } = await call(host, 'GET', `/v1/jobs/${waiting}`, { token });
  expect(body.expectedStart.estimate).toMatchObject({ basis: 'queue' });
  expect(Date.parse(body.expectedStart.estimate.p50)).toBeLessThan(Date.parse(estimate?.p50 ?? ''));
  const { body: page } = await call(host, 'GET', '/v1/jobs', { token });
  for (const job of page.items) expect(job.expectedStart).toBeNull();
});
