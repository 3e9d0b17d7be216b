import { attemptLimitMs } from '@tidemill/core/ledger';
import type { JobSpec } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { JobEvents } from '../jobs/job-events.js';
import { eventually } from '../testing/eventually.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { LeasesService } from './leases.service.js';
import { LIMIT_MS } from './pg-leases.store.js';

let host: StageHost;
let alice: StageSubmitter;
beforeAll(async () => {
  host = await startNetwork();
  alice = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

/** 1,200 base units last 1,200 ms at the price of the workers here. */
const LIMIT = 1_200;
const tight = (pool: string, more: Partial<JobSpec> = {}): JobSpec =>
  noopJob(pool, { ...more, limits: { maxCost: '0.0012' } });
const timedOut = (says: object = {}) => ({
  outcome: 'failed' as const,
  failure: { code: 'TIMEOUT', message: 'longer than 1200 ms', fault: 'job' as const },
  ...says,
});

test('the limit of an offer is what its hold pays for, the same in SQL as in core', async () => {
  const id = await alice.submit(tight('same'));
  const worker = await StageWorker.join(host, 'same');
  const { maxDurationMs, attemptId } = await worker.begin();
  expect(maxDurationMs).toBe(LIMIT);
  const [row] = await host.db.query<{
    limit_ms: bigint;
    task_cap: bigint;
    gpu_milli: number;
    cpu_milli: number;
    gpu_ask: bigint;
    cpu_ask: bigint;
  }>(
    `SELECT ${LIMIT_MS} AS limit_ms, job.task_cap, attempt.gpu_milli, attempt.cpu_milli, attempt.gpu_ask, attempt.cpu_ask
     FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id JOIN jobs AS job ON job.id = attempt.job_id
     WHERE attempt.id = $1`,
    [attemptId],
  );
  if (row === undefined) throw new Error('no attempt');
  const needs = { gpuMilli: row.gpu_milli, cpuMilli: row.cpu_milli };
  const asks = { gpuHour: row.gpu_ask, cpuHour: row.cpu_ask };
  expect(Number(row.limit_ms)).toBe(attemptLimitMs(60_000, 'primary', row.task_cap, needs, asks));
  await alice.cancel(id);
});

test('a hold that runs dry is told of, ends the job with its own code, and pays the worker', async () => {
  const id = await alice.submit(tight('dry', { verify: 'standard' }));
  const worker = await StageWorker.join(host, 'dry');
  const offer = await worker.begin();
  const events = async () =>
    (await host.app.get(JobEvents).since(id, 0n)).map(({ event }) => event);
  await eventually('nobody told of the hold', async () => {
    await host.app.get(LeasesService).endOverruns();
    return (await events()).some(({ type }) => type === 'hold-low');
  });
  expect((await alice.job(id)).state).toBe('running');
  await eventually(
    'the limit is not over',
    async () =>
      (
        await host.db.query(
          `SELECT FROM attempts WHERE id = $1 AND started_at < clock_timestamp() - $2 * interval '1 millisecond'`,
          [offer.attemptId, LIMIT + 50],
        )
      ).length === 1,
  );
  const usage = { billableMs: LIMIT + 20, cpuMs: 0, maxRssMib: 1 };
  await worker.report(offer, timedOut({ usage }));
  const job = await alice.over(id);
  expect(job.reason?.code).toBe('HOLD_EXHAUSTED');
  expect(job.reason?.message).toContain('tidemill rerun');
  const { cost, hold } = await alice.when(id, ({ cost }) => cost !== '0');
  expect([hold, cost]).toEqual(['1200', '1200']);
  expect((await events()).filter(({ type }) => type === 'hold-low')).toHaveLength(1);
  const [earned] = await host.db.query<{ price: bigint; fee: bigint }>(
    'SELECT price, fee FROM charges WHERE worker_id = $1 AND job_id = $2',
    [worker.id, id],
  );
  expect(earned?.price).toBe(1_200n);
});

test('a worker that gives up before the hold is used up has not been stopped by it', async () => {
  const id = await alice.submit(tight('early'));
  const worker = await StageWorker.join(host, 'early');
  await worker.report(await worker.begin(), timedOut());
  expect((await alice.over(id)).reason?.code).toBe('TIMEOUT');
});
