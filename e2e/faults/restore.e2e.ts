import { chmod, chown, cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tidemill } from '@tidemill/client';
import { servedTrail, verifyTrail } from '@tidemill/client/verify';
import { type Database, startDatabase } from '@tidemill/localnet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClosedBooks } from '../harness/books.js';
import { eventually } from '../harness/eventually.js';
import { type Orchestrator, startOrchestrator } from '../harness/orchestrator.js';
import { copyDatabase, restoreDatabase } from '../harness/physical-copy.js';
import { type RealWorker, realWorker } from '../harness/real-worker.js';
import { seeded } from '../harness/seeded.js';
import { noopJob } from '../harness/submitter.js';
import { Traffic, windUp } from '../harness/traffic.js';

const DRILLS = process.env['TIDEMILL_TEST_LONG'] === '1' ? 10 : 1;
const BACK_WITHIN_MS = 30_000;

const without = { ...process.env };
delete without['DATABASE_URL'];

let dir: string;
let database: Database;
let orchestrator: Orchestrator;
let worker: RealWorker;

const serve = (port?: number) => startDatabase({ dir: join(dir, 'database'), port, env: without });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemill-e2e-restore-'));
  database = await serve();
  orchestrator = await startOrchestrator({ databaseUrl: database.url });
  worker = await realWorker(orchestrator, 'steady');
});

afterAll(async () => {
  await worker?.process.stop();
  await orchestrator?.stop();
  await database?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The copy belongs to whom the data belonged to: a server runs under an account of its own. */
async function ownAs(path: string, uid: number, gid: number): Promise<void> {
  await chown(path, uid, gid);
  const found = await stat(path);
  if (!found.isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await ownAs(join(path, name), uid, gid);
}

test.for(Array.from({ length: DRILLS }, (_, i) => i + 1))(
  'drill %i: what was accepted before a copy is there after everything was destroyed, and goes on (G1, G15)',
  async (drill, { annotate }) => {
    const client = new Tidemill({ url: orchestrator.url });
    const traffic = await Traffic.open(orchestrator, seeded(drill));
    traffic.start(2, 1);
    await eventually('there is something to lose', () =>
      Promise.resolve(
        traffic.history.of('submit').length > 40 && traffic.history.of('store').length > 0,
      ),
    );
    // A stop signs how far the trail is; somebody keeps that.
    await orchestrator.process.stop();
    await orchestrator.start();
    const kept = [await client.trail.checkpoint()];

    const accepted = traffic.history.of('submit').map(({ answer }) => answer);
    const stored = traffic.history.of('store').map(({ answer }) => answer);
    const copy = join(dir, `copy-${drill}`);
    const artifacts = join(orchestrator.dir, 'artifacts');
    // The database first: what its rows name was stored before them.
    await copyDatabase(database, join(copy, 'data'));
    await cp(artifacts, join(copy, 'artifacts'), { recursive: true });
    await eventually('more is accepted, which no copy has', () =>
      Promise.resolve(traffic.history.of('submit').length > accepted.length + 5),
    );
    await traffic.stop();

    const data = database.dir ?? '';
    const { uid, gid } = await stat(data);
    const port = Number(new URL(database.url).port);
    orchestrator.process.signal('SIGKILL');
    process.kill(database.pid ?? NaN, 'SIGKILL');
    await Promise.all([orchestrator.process.ended, database.ended]);
    await rm(data, { recursive: true });
    await rm(artifacts, { recursive: true });

    const sinceMs = performance.now();
    await restoreDatabase(join(copy, 'data'), data);
    await ownAs(data, uid, gid);
    await cp(join(copy, 'artifacts'), artifacts, { recursive: true });
    database = await serve(port);
    await orchestrator.start();
    const backAfterMs = performance.now() - sinceMs;
    await annotate(`1 restores (1 asked)`, 'T25');
    await annotate(`back after ${Math.round(backAfterMs)} ms (30,000 allowed)`, 'T25');
    expect(backAfterMs).toBeLessThan(BACK_WITHIN_MS);

    const { rows } = await orchestrator.rows.query<{ id: string }>(
      'SELECT id FROM unnest($1::text[]) AS wanted (id) WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.id = wanted.id)',
      [accepted],
    );
    expect(rows).toEqual([]);
    const { submitter } = traffic;
    for (const digest of stored)
      expect((await submitter.http.ask('GET', `/v1/artifacts/${digest}`)).status).toBe(200);
    const more = await submitter.submit(noopJob(null, { limits: { maxCost: '0.01' } }));
    expect(await submitter.over(more.id)).toMatchObject({ state: 'succeeded' });
    await windUp(orchestrator);
    await expectClosedBooks(orchestrator);
    const trail = await verifyTrail({ source: servedTrail(client.trail), kept });
    expect(trail).toMatchObject({ fault: null, keyFrom: 'kept' });
  },
);
