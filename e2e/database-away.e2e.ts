import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, startDatabase } from '@tidemill/localnet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectClosedBooks } from './harness/books.js';
import { eventually } from './harness/eventually.js';
import { Http, problemOf } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { leaseOf, ScriptedWorker } from './harness/scripted-worker.js';
import { noopJob, type Submitter, submitter } from './harness/submitter.js';

let dir: string;
let database: Database;
let orchestrator: Orchestrator;
let alice: Submitter;

const without = { ...process.env };
delete without['DATABASE_URL'];

/** A server of its own, on data that outlive it, so that it can be taken away and brought back. */
const serve = (port?: number) => startDatabase({ dir: join(dir, 'database'), port, env: without });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemill-e2e-database-'));
  database = await serve();
  orchestrator = await startOrchestrator({ databaseUrl: database.url });
  alice = await submitter(orchestrator);
});

afterAll(async () => {
  await orchestrator?.stop();
  await database?.stop();
  await rm(dir, { recursive: true, force: true });
});

test('without its database the API says so, and everything goes on when it is back (G1, G5, G24)', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'patient');
  const { id } = await alice.submit(noopJob('patient', { limits: { maxCost: 1 } }));
  const offer = await worker.begin();
  await alice.when(id, 'it runs', ({ state }) => state === 'running');
  const waiting = await alice.submit(noopJob('patient', { limits: { maxCost: 1 } }));

  const port = Number(new URL(database.url).port);
  await database.stop();
  const awaySinceMs = performance.now();

  // What the database is asked for is answered at once, as a problem that says when to try again.
  for (const ask of [
    () => alice.post(noopJob('patient', { limits: { maxCost: 1 } }), 'while-away'),
    () => alice.http.get(`/v1/jobs/${id}`),
    () => alice.http.get('/v1/account'),
    () => alice.http.get('/v1/workers'),
    () => alice.http.get('/v1/trail'),
    () => alice.cancel(id),
  ]) {
    const answer = await ask();
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const anyone = new Http(orchestrator.url);
  expect((await anyone.get('/readyz')).status).toBe(503);
  expect((await anyone.get('/livez')).status).toBe(200);
  expect((await anyone.get('/metrics')).status).toBe(200);
  // The worker still hears that the orchestrator lives.
  worker.beat();
  await worker.socket.take('heartbeat.ack', 3_000);
  // Longer than the term of a lease, during which nobody could renew it.
  await sleep(Math.max(0, 17_000 - (performance.now() - awaySinceMs)));

  database = await serve(port);
  await eventually('it is ready again', async () => (await anyone.get('/readyz')).status === 200);
  expect(orchestrator.process.signal('SIGCONT')).toBe(true); // The same process as before.

  // The worker is not lost for what was not its fault, and neither is what it did meanwhile.
  const hasClosed = await Promise.race([worker.socket.closed.then(() => true), sleep(2_500)]);
  expect(hasClosed).not.toBe(true);
  expect(await worker.report(offer)).toMatchObject({ status: 'stored' });
  const job = await alice.over(id);
  expect(job.state).toBe('succeeded');
  expect(job.taskList[0]?.attempts).toHaveLength(1);

  const next = await worker.begin();
  expect(next.jobId).toBe(waiting.id);
  await worker.report(next);
  expect((await alice.over(waiting.id)).state).toBe('succeeded');

  // What was refused was not kept, so the same key is free.
  const again = await alice.post(noopJob('patient', { limits: { maxCost: 1 } }), 'while-away');
  expect(again.status).toBe(201);
  const last = await worker.begin();
  expect(last.jobId).toBe(again.body.id);
  await worker.report(last);
  await alice.over(again.body.id);
  await alice.settled();
  await expectClosedBooks(orchestrator);
  worker.drop();
});

test('a receipt that could not be stored is asked for again by closing the socket (G4)', async () => {
  const worker = await ScriptedWorker.join(orchestrator, 'unlucky');
  const { id } = await alice.submit(noopJob('unlucky', { limits: { maxCost: 1 } }));
  const offer = await worker.begin();
  const port = Number(new URL(database.url).port);
  await database.stop();
  const receipt = worker.receipt(offer);
  await expect(
    Promise.race([
      worker.report(offer, receipt).then(({ status }) => status),
      worker.socket.closed.then(({ code }) => code),
    ]),
  ).resolves.toBe(1001);
  database = await serve(port);
  const again = await eventually('the worker may log in again', async () => {
    try {
      return await ScriptedWorker.join(orchestrator, 'unlucky', {
        signer: worker.signer,
        holding: [leaseOf(offer)],
      });
    } catch {
      return undefined; // The database is not back yet.
    }
  });
  expect(await again.report(offer, receipt)).toMatchObject({ status: 'stored' });
  expect((await alice.over(id)).state).toBe('succeeded');
  again.drop();
});
