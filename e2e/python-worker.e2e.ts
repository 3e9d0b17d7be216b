import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from '@tidemill/localnet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './harness/eventually.js';
import { pythonOrReason } from './harness/python.js';
import { type TestNetwork, testNetwork } from './harness/test-network.js';

const SCRIPT = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'docs',
  'examples',
  'worker.py',
);
const MAX_LINES_OF_CODE = 200;

test('the worker in Python stays small enough to be read in one go', () => {
  const lines = readFileSync(SCRIPT, 'utf8').split('\n');
  expect(lines.filter((line) => line.trim() !== '').length).toBeLessThan(MAX_LINES_OF_CODE);
});

const python = pythonOrReason();

describe.runIf(python !== null)(
  'a worker in Python that was written from the protocol page',
  () => {
    let net: TestNetwork;
    let worker: RunningProcess;
    let log: string;

    const start = () =>
      startProcess({
        name: 'the worker in Python',
        command: python ?? '',
        args: [SCRIPT, net.url, join(net.dir, 'python-worker')],
        logFile: log,
        readyWhen: { line: /joined as wrk_/ },
        startDeadlineMs: 30_000,
      });

    beforeAll(async () => {
      net = await testNetwork({ workers: 0 });
      log = join(net.dir, 'python-worker.log');
      worker = await start();
    });
    afterAll(async () => {
      await worker.stop();
      await net.stop();
    });

    // The only worker: there is nobody who could check its results.
    const job = (noop: { sleepMs: number; fail?: string }) =>
      ({ kind: 'batch', runtime: { noop }, verify: 'none' }) as const;

    const theWorker = async () => {
      for await (const one of net.admin.workers.list()) if (one.name === 'python') return one;
      throw new Error('the worker is not on the list');
    };

    test('joins, runs jobs, and is paid for them (G8)', async () => {
      const { client } = await net.aSubmitter('5');
      const small = job({ sleepMs: 300 });
      // Large enough that its price is not rounded to nothing.
      const large = { ...job({ sleepMs: 1_500 }), resources: { cpu: 1 } };
      const jobs = await client.jobs.createMany([small, small, small, small, small, large]);
      const ended = await Promise.all(
        jobs.map(({ id }) => client.jobs.wait(id, { timeoutMs: 60_000 })),
      );
      expect(ended.map(({ state }) => state)).toEqual(jobs.map(() => 'succeeded'));
      expect((await theWorker()).results).toMatchObject({ accepted: 6, rejected: 0, failed: 0 });
      await eventually('it is paid', async () => BigInt((await theWorker()).earned) > 0n);
    });

    test('says that the code of a job failed, and why', async () => {
      const { client } = await net.aSubmitter('5');
      const { id } = await client.jobs.create(job({ sleepMs: 10, fail: 'the sea was calm — ß' }));
      expect(await client.jobs.wait(id, { timeoutMs: 60_000 })).toMatchObject({
        state: 'failed',
        reason: { code: 'FAILED_AS_TOLD' },
      });
    });

    test('reports what it finished while its orchestrator was away, once', async () => {
      const { client } = await net.aSubmitter('5');
      const { id } = await client.jobs.create(job({ sleepMs: 2_000 }));
      await eventually('it runs', async () => (await client.jobs.get(id)).state === 'running');
      await net.network.restartOrchestrator();
      expect(await client.jobs.wait(id, { timeoutMs: 60_000 })).toMatchObject({
        state: 'succeeded',
      });
      // The first attempt's result counted: nothing was done again.
      const [task] = (await client.jobs.get(id)).taskList;
      expect(task?.attempts.map(({ state }) => state)).toEqual(['accepted']);
    });

    test('finishes what it runs when it is told to leave, and has nothing left to say', async () => {
      const { client } = await net.aSubmitter('5');
      const { id } = await client.jobs.create(job({ sleepMs: 1_500 }));
      await eventually('it runs', async () => (await client.jobs.get(id)).state === 'running');
      await worker.stop();
      const waited = client.jobs.wait(id, { timeoutMs: 30_000 });
      expect(await waited).toMatchObject({ state: 'succeeded' });
      expect(readFileSync(log, 'utf8')).toContain('left\n');
      expect(readFileSync(join(net.dir, 'python-worker', 'outbox.json'), 'utf8')).toBe('{}');
    });
  },
);
