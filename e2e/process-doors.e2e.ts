import { NETWORK_METRICS, ROUTES } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.js';
import { Http } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { ScriptedWorker } from './harness/scripted-worker.js';
import { noopJob, submitter } from './harness/submitter.js';

let orchestrator: Orchestrator;
let http: Http;

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  http = new Http(orchestrator.url);
});

afterAll(async () => {
  expect(await orchestrator?.stop()).toEqual([]);
});

test('the process says that it lives and that it is ready', async () => {
  expect((await http.get('/livez')).status).toBe(200);
  expect((await http.get('/readyz')).status).toBe(200);
});

test('the API describes itself: every operation, and nothing else', async () => {
  const { status, body } = await http.get<{
    openapi: string;
    paths: Record<string, Record<string, unknown>>;
  }>('/openapi.json');
  expect(status).toBe(200);
  expect(body.openapi).toMatch(/^3\.1/);
  const described = Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );
  const served = Object.values(ROUTES).map(({ method, path }) => `${method} ${path}`);
  expect(described.sort()).toEqual(served.sort());
});

test('the page of the API needs no other server', async () => {
  const page = await http.get<string>('/docs');
  expect(page.status).toBe(200);
  const linked = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
  expect(linked.length).toBeGreaterThan(1);
  for (const link of linked) {
    expect(link).toMatch(/^\//);
    expect((await http.get(link)).status, link).toBe(200);
  }
  const policy = page.headers.get('content-security-policy');
  expect(policy).toContain("default-src 'self'");
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect(page.headers.get('x-powered-by')).toBeNull();
});

test('metrics count what happened, under the names of the protocol and without any id', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'counted');
  worker.serve();
  const alice = await submitter(orchestrator);
  for (let i = 0; i < 3; i += 1) {
    const { id } = await alice.submit(noopJob('counted', { limits: { maxCost: 1 } }));
    await alice.over(id);
  }
  await alice.settled();
  await alice.http.get('/v1/jobs/nonsense');
  const { body, headers } = await eventually('the trail has caught up', async () => {
    const answer = await http.get<string>('/metrics');
    return Number(/^tidemill_trail_events_total (\S+)$/m.exec(answer.body)?.[1]) > 9 && answer;
  });
  expect(headers.get('content-type')).toMatch(/^text\/plain/);

  for (const name of Object.keys(NETWORK_METRICS)) expect(body).toContain(`# HELP ${name} `);
  const value = (line: string) => Number(new RegExp(`^${line} (\\S+)$`, 'm').exec(body)?.[1]);
  expect(value('tidemill_jobs_accepted_total\\{kind="batch"\\}')).toBe(3);
  expect(value('tidemill_jobs_finished_total\\{state="succeeded"\\}')).toBe(3);
  expect(value('tidemill_receipts_total\\{outcome="stored"\\}')).toBe(3);
  expect(value('tidemill_verdicts_total\\{verdict="accepted"\\}')).toBe(3);
  expect(value('tidemill_ledger_entries_total\\{kind="charge"\\}')).toBe(3);
  expect(value('tidemill_workers_connected')).toBe(1);
  // An id, key or address as a label would make a new series for every stranger.
  expect(body).not.toMatch(/\{[^}]*(?:job|tsk|att|wrk|acc|key|ses)_[0-9a-z]{26}/);
  expect(body).not.toMatch(/\{[^}]*(?:127\.0|nonsense|[1-9A-HJ-NP-Za-km-z]{43,44})/);
  worker.drop();
});

test('requests are counted by route and status, not by address', async () => {
  for (let i = 0; i < 3; i += 1) {
    await http.get(`/v1/workers/wrk_${String(i).repeat(26)}`);
    await http.get(`/there/is/no/${i}`);
  }
  const { body } = await http.get<string>('/metrics');
  expect(body).toMatch(
    /^tidemill_http_requests_total\{method="GET",route="\/v1\/workers\/:id",status="404"\} 3$/m,
  );
  expect(body).toMatch(
    /^tidemill_http_requests_total\{method="GET",route="none",status="404"\} 3$/m,
  );
});
