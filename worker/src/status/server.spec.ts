import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workerRegistry } from '../telemetry.js';
import { anOffer } from '../testing/builders.js';
import { testAgent } from '../testing/test-agent.js';
import type { StatusReport } from './report.js';
import { startStatusServer } from './server.js';
import { StatusFile } from './status-file.js';

/** An agent with a running attempt, and its report. */
async function aReport() {
  const all = await testAgent();
  await all.agent.start();
  await all.time.advance(1);
  all.orchestrator.offer(anOffer({ noop: { sleepMs: 60_000 } }));
  await all.time.advance(1_000);
  const report = (): StatusReport => ({
    ...all.agent.snapshot(),
    pid: 1,
    orchestrator: 'http://127.0.0.1:7070',
    isolationDetail: '',
    statusPort: null,
    startedAt: '',
    updatedAt: '',
  });
  return { ...all, report };
}

async function aServer() {
  const all = await aReport();
  const registry = workerRegistry(() => all.agent.snapshot());
  const server = await startStatusServer({
    port: 0,
    report: all.report,
    registry,
    drain: () => all.agent.drain(),
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { ...all, server, url };
}

const statusUnder = (port: number, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/status', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });

test('status and metrics tell of the same agent', async () => {
  const { server, url } = await aServer();
  const status = (await (await fetch(`${url}/status`)).json()) as StatusReport;
  expect(status).toMatchObject({
    state: 'online',
    attempts: [{ phase: 'running', elapsedMs: 1_000 }],
    totals: { accepted: 1 },
  });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^tidemill_worker_attempts 1$/m);
  expect(metrics).toMatch(/^tidemill_worker_attempts_accepted_total 1$/m);
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
    /^tidemill_worker_attempts_accepted_total 1$/m,
  );
  await server.close();
});

test('POST /drain drains; other requests find nothing', async () => {
  const { server, url, agent } = await aServer();
  expect((await fetch(`${url}/drain`)).status).toBe(404);
  expect(agent.snapshot().state).toBe('online');
  expect((await fetch(`${url}/drain`, { method: 'POST' })).status).toBe(202);
  expect(agent.snapshot().state).toBe('draining');
  await server.close();
});

test('pages in a browser are kept out', async () => {
  const { server } = await aServer();
  expect(await statusUnder(server.port, { origin: 'https://evil.example' })).toBe(403);
  expect(await statusUnder(server.port, { host: 'evil.example' })).toBe(403);
  expect(await statusUnder(server.port, {})).toBe(200);
  await server.close();
});

test('a port that is taken is an error', async () => {
  const { server, report, agent } = await aServer();
  const registry = workerRegistry(() => agent.snapshot());
  await expect(
    startStatusServer({ port: server.port, report, registry, drain: () => undefined }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await server.close();
});

test('the status file holds the newest status, also the last one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemill-status-'));
  const { agent, report, time, log } = await aReport();
  const path = join(folder, 'status.json');
  const file = new StatusFile(path, report, { timers: time, log });
  const read = () => JSON.parse(readFileSync(path, 'utf8')) as StatusReport;
  file.start();
  await file.end();
  expect(read().state).toBe('online');
  agent.stop();
  await time.advance(10);
  await agent.exited;
  await file.end();
  expect(read().state).toBe('stopped');
  rmSync(folder, { recursive: true });
});
