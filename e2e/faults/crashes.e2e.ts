import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tidemill } from '@tidemill/client';
import { servedTrail, verifyTrail } from '@tidemill/client/verify';
import { type Database, startDatabase } from '@tidemill/localnet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClosedBooks } from '../harness/books.js';
import { eventually } from '../harness/eventually.js';
import { faultPoints } from '../harness/fault-points.js';
import { Lives } from '../harness/lives.js';
import { quickStartingOrchestrator } from '../harness/quick-start.js';
import { realWorker, type RealWorker } from '../harness/real-worker.js';
import { Seats } from '../harness/seats.js';
import { seeded } from '../harness/seeded.js';
import { Traffic, windUp } from '../harness/traffic.js';

const LONG = process.env['TIDEMILL_TEST_LONG'] === '1';
const KILLS = LONG ? 1_000 : 120;
const DATABASE_KILLS = LONG ? 100 : 10;
/** A life takes two seconds on a quiet machine and ten on a busy one. */
const DEADLINE_MS = (KILLS + DATABASE_KILLS) * 10_000;
const CLIENTS = 3;
const FLAKY_WORKERS = 3;
const SEATS = 2;

const random = seeded(20_250_807);
const without = { ...process.env };
delete without['DATABASE_URL'];

let dir: string;
let database: Database;
let seats: Seats;
let traffic: Traffic;
let workers: RealWorker[] = [];

const serve = (port?: number) => startDatabase({ dir: join(dir, 'database'), port, env: without });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemill-e2e-crashes-'));
  database = await serve();
  // A third of what may be audited is, so that checks are ordered all the time.
  const env = { TIDEMILL_AUDIT_RATE: '0.3', TIDEMILL_LOG_LEVEL: 'warn' };
  const main = await quickStartingOrchestrator();
  seats = await Seats.open({ databaseUrl: database.url, seats: SEATS, main, env });
  await seats.startAll();
  workers = [await realWorker(seats, 'steady-1'), await realWorker(seats, 'steady-2')];
  traffic = await Traffic.open(seats, random);
  traffic.start(CLIENTS, FLAKY_WORKERS);
});

afterAll(async () => {
  await traffic?.stop().catch(() => undefined);
  await Promise.all(workers.map((worker) => worker.process.stop()));
  await seats?.stop();
  await database?.stop();
  await rm(dir, { recursive: true, force: true });
});

const kills = `two orchestrators on one database die ${KILLS} times, at every point that has a name (G1, G2, G4, G9, G15)`;
test(kills, { timeout: DEADLINE_MS }, async () => {
  const points = await faultPoints();
  expect(points.length).toBeGreaterThanOrEqual(40);
  const rounds = LONG ? 8 : 1;
  const wanted = Array.from({ length: rounds }, (_, round) =>
    // Points are passed at the start of a life too, when there is little yet to lose: so not always at the first pass.
    points.map((point) => ({ point, nth: 1 + Math.floor(random() * (1 + round * 4)) })),
  );
  const lives = new Lives(seats, wanted.flat(), random);
  for (let seat = 0; seat < SEATS; seat += 1) seats.process(seat)?.signal('SIGKILL');
  await Promise.all(Array.from({ length: SEATS }, (_, seat) => lives.run(seat, KILLS)));
  expect(lives.kills).toBeGreaterThanOrEqual(KILLS);
  expect(points.filter((point) => !lives.hits.has(point))).toEqual([]);
});

const databaseKills = `their PostgreSQL is killed ${DATABASE_KILLS} times (G1, G24)`;
test(databaseKills, { timeout: DEADLINE_MS }, async () => {
  await seats.startAll();
  const port = Number(new URL(database.url).port);
  for (let kill = 0; kill < DATABASE_KILLS; kill += 1) {
    await sleep(200 + random() * 1_000);
    process.kill(database.pid ?? NaN, 'SIGKILL');
    await database.ended;
    database = await serve(port);
    await eventually(
      'it is ready again',
      async () => {
        const answer = await fetch(`${seats.url}/readyz`).catch(() => undefined);
        return answer?.status === 200;
      },
      60_000,
    );
  }
});

test('and everything that was answered is so, once (G1, G2, G4, G9, G15)', async ({ annotate }) => {
  await traffic.stop();
  await windUp(seats);
  const client = new Tidemill({ url: seats.url });

  expect(traffic.internalErrors).toEqual([]);
  // Only an event that has no place yet can still come right; whatever was lost or doubled stays so.
  await expect
    .poll(() => traffic.history.against(seats.rows, traffic.submitter.accountId), {
      timeout: 20_000,
    })
    .toEqual([]);
  await expectClosedBooks(seats);
  const trail = await verifyTrail({ source: servedTrail(client.trail) });
  expect(trail).toMatchObject({ fault: null });
  const asked = traffic.history.operations.reduce((sum, { times }) => sum + times, 0);
  await annotate(`${KILLS} kills of an orchestrator (120 asked)`, 'T2');
  await annotate(`${DATABASE_KILLS} kills of its database (10 asked)`, 'T2');
  await annotate(`${asked} operations held against the rows`, 'T2');
});

/** A checker that finds nothing has to show that it can find something. */
test.each([
  ['a job is gone', `DELETE FROM jobs WHERE id = (SELECT min(id) FROM jobs WHERE state = 'succeeded')`],
  ['a job ended otherwise', `UPDATE job_ends SET state = 'failed' WHERE job_id = (SELECT min(job_id) FROM job_ends WHERE state = 'succeeded')`],
  ['a stale result counts', `UPDATE tasks SET fence = fence + 1 WHERE id = (SELECT min(id) FROM tasks WHERE state = 'succeeded')`],
  ['a charge is not in the ledger', `UPDATE ledger_entries SET ref = ref || '-' WHERE id = (SELECT min(id) FROM ledger_entries WHERE kind = 'charge')`],
  ['a credit is gone', `UPDATE ledger_entries SET ref = ref || '-' WHERE id = (SELECT max(id) FROM ledger_entries WHERE kind = 'grant')`],
  ['a key is not revoked', `UPDATE api_keys SET revoked_at = NULL`],
  ['a verdict has no event', `DELETE FROM trail_events WHERE id = (SELECT max(id) FROM trail_events WHERE kind = 'verdict.given')`],
  ['an event is there twice', `INSERT INTO trail_events (at_ms, kind, subject, body, digest) SELECT at_ms, kind, subject, body, digest FROM trail_events WHERE kind = 'job.accepted' LIMIT 1`],
  ['a stored artifact is gone', `DELETE FROM artifact_grants; DELETE FROM artifacts`],
])('the checker would have seen that %s', async (_, tampering) => {
  const client = await seats.rows.connect();
  try {
    // Two orchestrators still run: what one has just written gets its place in the trail within a second.
    await eventually('nothing is wrong before the tampering', async () => {
      await client.query('BEGIN');
      const faults = await traffic.history.against(client, traffic.submitter.accountId);
      if (faults.length > 0) await client.query('ROLLBACK');
      return faults.length === 0;
    });
    await client.query('SET LOCAL session_replication_role = replica'); // No trigger stands in the way.
    await client.query(tampering);
    const faults = await traffic.history.against(client, traffic.submitter.accountId);
    expect(faults).not.toEqual([]);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}); // prettier-ignore
