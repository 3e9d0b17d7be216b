import { Tidemill } from '@tidemill/client';
import { servedTrail, verifyTrail } from '@tidemill/client/verify';
import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClosedBooks } from '../harness/books.js';
import { eventually } from '../harness/eventually.js';
import { type Orchestrator, startOrchestrator } from '../harness/orchestrator.js';
import { type Fault, PostgresProxy } from '../harness/postgres-proxy.js';
import { type RealWorker, realWorker } from '../harness/real-worker.js';
import { seeded } from '../harness/seeded.js';
import { Traffic, windUp } from '../harness/traffic.js';

const ROUNDS = process.env['TIDEMILL_TEST_LONG'] === '1' ? 20 : 1;
const FAULTS: readonly Fault[] = ['cut before COMMIT', 'cut after COMMIT', 'disk full'];

/** A statement of every transaction that something depends on. */
const STATEMENTS = {
  'accepting a job': /INSERT INTO jobs/,
  'booking': /INSERT INTO ledger_postings/,
  'making a lease': /INSERT INTO attempts/,
  'taking receipts': /INSERT INTO receipts /,
  'giving verdicts': /INSERT INTO verdicts/,
  'charging': /INSERT INTO charges/,
  'placing trail events': /INSERT INTO trail_chain/,
  'ending an attempt': /UPDATE attempts SET state = open\.state/,
  'ending jobs': /INSERT INTO job_ends/,
  'letting a worker join': /INSERT INTO workers/,
  'letting a submitter in': /INSERT INTO login_tokens/,
  'storing an artifact': /INSERT INTO artifact_grants/,
} as const; // prettier-ignore

let database: FreshDatabase;
let proxy: PostgresProxy;
let orchestrator: Orchestrator;
let traffic: Traffic;
let workers: RealWorker[] = [];

beforeAll(async () => {
  database = await testDatabase();
  proxy = await PostgresProxy.listen(database.url);
  orchestrator = await startOrchestrator({
    databaseUrl: proxy.url,
    env: { TIDEMILL_AUDIT_RATE: '0.3' },
  });
  workers = [
    await realWorker(orchestrator, 'steady-1'),
    await realWorker(orchestrator, 'steady-2'),
  ];
  traffic = await Traffic.open(orchestrator, seeded(7));
  traffic.start(3, 2);
});

afterAll(async () => {
  await traffic?.stop().catch(() => undefined);
  await Promise.all(workers.map(({ process }) => process.stop()));
  await orchestrator?.stop();
  await proxy?.close();
  await database?.drop();
});

for (const fault of FAULTS) {
  test(`${fault}: whatever was going on is done once or not at all (G1, G4, G9)`, async ({
    annotate,
  }) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [what, statement] of Object.entries(STATEMENTS)) {
        let isMet = false;
        void proxy.next(fault, statement).then(() => (isMet = true));
        await eventually(`${what} meets the fault`, () => Promise.resolve(isMet), 60_000);
      }
    }
    const met = ROUNDS * Object.keys(STATEMENTS).length;
    await annotate(`${met} connections and statements that failed on the way`, 'T2');
  });
}

test('the process that met all of it is the same, and so is what it was asked for', async () => {
  await traffic.stop();
  expect(orchestrator.process.signal('SIGCONT')).toBe(true); // It has not ended.
  await windUp(orchestrator);
  // A cut costs an answer: 503, or the end of a socket. It is never called an error of the orchestrator's own.
  expect(traffic.internalErrors).toEqual([]);
  const { rows, url } = orchestrator;
  // Only an event that has no place yet can still come right; whatever was lost or doubled stays so.
  await expect
    .poll(() => traffic.history.against(rows, traffic.submitter.accountId), { timeout: 20_000 })
    .toEqual([]);
  await expectClosedBooks(orchestrator);
  const client = new Tidemill({ url });
  expect(await verifyTrail({ source: servedTrail(client.trail) })).toMatchObject({ fault: null });
});
