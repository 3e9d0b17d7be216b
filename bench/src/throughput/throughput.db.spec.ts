import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, inject, it } from 'vitest';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../..', import.meta.url));

// The benchmark starts processes of its own, which need compiled files.
beforeAll(async () => {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  await run(process.execPath, [compiler, '-b', 'bench', 'orchestrator'], {
    cwd: repository,
    timeout: 240_000,
  });
}, 250_000);

it('measures the road, the peers, latency and sockets, and ends with one line of JSON', async () => {
  const { stdout } = await run(
    process.execPath,
    ['bench/dist/throughput/main.js', '--quick', '--json'],
    {
      cwd: repository,
      env: { ...process.env, DATABASE_URL: inject('databaseAdminUrl') },
      timeout: 170_000,
    },
  );

  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  const positive = expect.toSatisfy((value: number) => value > 0);
  expect(result).toMatchObject({
    product: { jobsPerCpuSecond: positive, single: { jobsPerCpuSecond: positive } },
    peers: {
      'graphile-worker': { jobsPerCpuSecond: positive },
      'pg-boss': { jobsPerCpuSecond: positive },
    },
    latencyMs: { p50: positive, p99: positive },
    sockets: { ratioToWs: positive, sockets: 40 },
  });
}, 180_000);
