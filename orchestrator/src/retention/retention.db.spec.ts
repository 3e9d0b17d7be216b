import { makeId, type IdKind, type IdOf, type JobId } from '@tidemill/protocol';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Config } from '../config/env.js';
import { ProvenanceService } from '../evidence/provenance.service.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { JobEvents } from '../jobs/job-events.js';
import { PgDb } from '../platform/db/pg-db.js';
import { Ids, RandomIds } from '../platform/ids.js';
import { SystemClock } from '../platform/clock.js';
import { eventually } from '../testing/eventually.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { RetentionStore } from './retention.store.js';

const DAY_MS = 24 * 3_600_000;
const KEEP_MS = 90 * DAY_MS;
const LONG_AGO_MS = 100 * DAY_MS;

/** Ids of jobs, and of what belongs to them, as if they had been made long ago. */
class OldIds extends Ids {
  private readonly fresh = new RandomIds(new SystemClock());

  make<K extends IdKind>(kind: K): IdOf[K] {
    if (kind !== 'job' && kind !== 'task' && kind !== 'attempt') return this.fresh.make(kind);
    const random = crypto.getRandomValues(new Uint8Array(10));
    return makeId(kind, Date.now() - LONG_AGO_MS, random);
  }
}

let host: StageHost;
/** May do what no role of the orchestrator may. */
let owner: PgDb;
let alice: StageSubmitter;
let store: RetentionStore;

beforeAll(async () => {
  host = await startNetwork({ overrides: [{ provide: Ids, useValue: new OldIds() }] });
  const { databaseUrl: url } = host.app.get(Config);
  owner = new PgDb({ url, role: 'none', max: 2, name: 'test' }, pino({ level: 'silent' }));
  alice = await StageSubmitter.with(host);
  store = host.app.get(RetentionStore);
});
afterAll(async () => {
  await owner.close();
  await host.stop();
});

/** A job that went the whole road and is paid for. */
async function paidJob(pool: string): Promise<JobId> {
  const worker = await StageWorker.join(host, pool);
  const id = await alice.submit(noopJob(pool));
  const output = await worker.store(`the output of ${pool}`);
  await worker.report(await worker.begin(), { outputs: [output] });
  await alice.over(id);
  await worker.leave();
  await eventually('the job is not billed', () => host.app.get(JobEvents).isBilled(id));
  return id;
}

const endedLongAgo = (id: JobId) =>
  owner.query(`UPDATE job_ends SET at = clock_timestamp() - interval '99 days' WHERE job_id = $1`, [
    id,
  ]);

/** Passes over all old jobs, until the stages have gone past what the last of them wrote. */
const passUntil = (isForgotten: (forgotten: number) => boolean) =>
  eventually('nothing was forgotten', async () =>
    isForgotten((await store.forgetJobs(KEEP_MS, '', 100)).forgotten),
  );

const count = async (table: string, where: string, value: unknown): Promise<number> => {
  const sql = `SELECT count(*)::int AS count FROM ${table} WHERE ${where}`;
  return (await owner.query<{ count: number }>(sql, [value]))[0]?.count ?? -1;
};

test('a job is forgotten with all its rows after its time, and what the trail and the ledger say of it stays', async () => {
  const id = await paidJob('forgotten');
  const [attempt] = await owner.query<{ id: string }>('SELECT id FROM attempts WHERE job_id = $1', [
    id,
  ]);
  expect(await count('artifact_grants', `owner_kind = 'job' AND owner_id = $1`, id)).toBe(1);
  const bundle = await host.app.get(ProvenanceService).bundle(alice.accountId, id);
  await endedLongAgo(id);
  await passUntil((forgotten) => forgotten === 1);

  for (const table of ['tasks', 'attempts', 'receipts', 'verdicts', 'charges', 'job_ends'])
    expect([table, await count(table, 'job_id = $1', id)]).toEqual([table, 0]);
  expect(await count('task_outputs', 'attempt_id = $1', attempt?.id)).toBe(0);
  // The right to the output has ended, so its bytes go.
  const right = `owner_kind = 'job' AND owner_id = $1 AND (until IS NULL OR until > clock_timestamp())`;
  expect(await count('artifact_grants', right, id)).toBe(0);
  await expect(alice.job(id)).rejects.toMatchObject({ code: 'FORGOTTEN' });
  const provenance = host.app.get(ProvenanceService);
  await expect(provenance.bundle(alice.accountId, id)).rejects.toMatchObject({ code: 'FORGOTTEN' });
  const receipt = provenance.receipt(alice.accountId, attempt?.id as never);
  await expect(receipt).rejects.toMatchObject({ code: 'FORGOTTEN' });

  const places = bundle.trail.events.map(({ place }) => place);
  expect(await count('trail_chain', 'place = ANY ($1)', places)).toBe(places.length);
  const ids = bundle.trail.events.map((event) => event.id);
  expect(await count('trail_events', 'id = ANY ($1::bigint[])', ids)).toBe(ids.length);
  const entries = bundle.ledger.map((entry) => entry.id);
  expect(entries.length).toBeGreaterThan(0);
  expect(await count('ledger_entries', 'id = ANY ($1::bigint[])', entries)).toBe(entries.length);
  expect(await count('ledger_postings', 'entry_id = ANY ($1::bigint[])', entries)).toBeGreaterThan(
    entries.length,
  );
});

test('what ended lately, is open, or has an earning that can be withheld is kept', async () => {
  const lately = await paidJob('lately');
  const withheld = await paidJob('withheld');
  await owner.query('UPDATE charges SET released = false WHERE job_id = $1', [withheld]);
  const open = await alice.submit(noopJob('nobody'));
  const disputed = await paidJob('disputed');
  await owner.query(`ALTER TABLE tasks DISABLE TRIGGER task_transition`);
  await owner.query(`UPDATE tasks SET state = 'verifying' WHERE job_id = $1`, [disputed]);
  await owner.query(`ALTER TABLE tasks ENABLE TRIGGER task_transition`);
  const last = await paidJob('last');
  for (const id of [withheld, disputed, last]) await endedLongAgo(id);

  await passUntil((forgotten) => forgotten === 1);
  const kept = await owner.query<{ id: JobId }>('SELECT id FROM jobs WHERE id = ANY ($1)', [
    [lately, withheld, open, disputed, last],
  ]);
  expect(kept.map(({ id }) => id).sort()).toEqual([lately, withheld, open, disputed].sort());
  await expect(alice.job(last)).rejects.toMatchObject({ code: 'FORGOTTEN' });
});

test('a pass goes on behind the last job it looked at, whether that could go or not', async () => {
  const all = await store.forgetJobs(KEEP_MS, '', 100);
  expect(all).toMatchObject({ looked: 2, forgotten: 0 });
  const first = await store.forgetJobs(KEEP_MS, '', 1);
  expect(first).toMatchObject({ looked: 1, forgotten: 0 });
  expect(await store.forgetJobs(KEEP_MS, first.last, 100)).toMatchObject({
    looked: 1,
    last: all.last,
  });
  expect(await store.forgetJobs(KEEP_MS, all.last, 100)).toMatchObject({ looked: 0 });
});

test('the role of the loops can neither delete a job by itself nor have one forgotten within a day', async () => {
  for (const table of ['jobs', 'attempts', 'receipts', 'attempt_logs'])
    await expect(host.db.query(`DELETE FROM ${table}`)).rejects.toMatchObject({ code: '42501' });
  await expect(store.forgetJobs(DAY_MS - 1, '', 1)).rejects.toMatchObject({ code: '22023' });
  await expect(store.forgetRefusedReceipts(0, 1)).rejects.toMatchObject({ code: '22023' });
  await expect(store.tendLogs(0, 1)).rejects.toMatchObject({ code: '22023' });
});

test('receipts that earned nothing go after their time, so many at once', async () => {
  await owner.query(
    `INSERT INTO receipts_refused (hash, attempt_id, worker_id, code, text, received_at)
     SELECT decode(md5(n::text), 'hex'), 'att', 'wrk', 'STALE_FENCE', '', clock_timestamp() - n * interval '40 days' FROM generate_series(0, 5) AS n`,
  );
  expect(await store.forgetRefusedReceipts(KEEP_MS, 2)).toBe(2);
  expect(await store.forgetRefusedReceipts(KEEP_MS, 2)).toBe(1);
  expect(await count('receipts_refused', 'worker_id = $1', 'wrk')).toBe(3);
});

test('the database spells the smallest id of a moment as the one that is made then', async () => {
  for (const ms of [0, 1, 31, 32, 1_764_000_000_123, 2 ** 47 + 12_345]) {
    const [row] = await host.db.query<{ id: string }>(
      `SELECT id_floor('job_', to_timestamp($1::numeric / 1000)) AS id`,
      [ms],
    );
    const smallest = makeId('job', ms, new Uint8Array(10));
    expect(row?.id.slice(0, 14)).toBe(smallest.slice(0, 14));
    expect((row?.id ?? '') <= smallest).toBe(true);
  }
});

test('a table that has grown tenfold gets new statistics, once', async () => {
  await owner.query(
    `INSERT INTO job_ends (job_id, state) SELECT 'grown' || n, 'failed' FROM generate_series(1, 2000) AS n`,
  );
  // The background turns may come first; either way they are taken.
  const known = () =>
    owner.query<{ rows: number }>(
      `SELECT reltuples::int AS rows FROM pg_class WHERE oid = 'job_ends'::regclass`,
    );
  await eventually('there are no statistics', async () => {
    await store.refreshStatistics();
    return ((await known())[0]?.rows ?? 0) >= 2_000;
  });
  expect(await store.refreshStatistics()).toBe(0);
});

const line = (job: string) =>
  host.db.query(
    `INSERT INTO attempt_logs (job_id, attempt_id, line, stream, text) VALUES ($1, 'att', 1, 'stdout', 'x')`,
    [job],
  );
const tableOf = async (job: string) => {
  const sql = 'SELECT tableoid::regclass::text AS name FROM attempt_logs WHERE job_id = $1';
  return (await owner.query<{ name: string }>(sql, [job]))[0]?.name;
};
const idAt = (ms: number) => makeId('job', ms, crypto.getRandomValues(new Uint8Array(10)));
const tableNameAt = (ms: number) =>
  `attempt_logs_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}`;

test('log lines are in the table of the day of their job, and lines that came before it are moved there', async () => {
  await eventually(
    'there are no tables',
    async () => (await count('pg_class', 'relname = $1', tableNameAt(Date.now() + DAY_MS))) === 1,
  );
  const today = idAt(Date.now());
  await line(today);
  expect(await tableOf(today)).toBe(tableNameAt(Date.now()));

  const far = Date.now() + 5 * DAY_MS;
  const early = idAt(far);
  await line(early);
  expect(await tableOf(early)).toBe('attempt_logs_rest');
  expect((await store.tendLogs(KEEP_MS, 6)).made).toBeGreaterThan(0);
  expect(await tableOf(early)).toBe(tableNameAt(far));
  expect(await store.tendLogs(KEEP_MS, 6)).toEqual({ made: 0, dropped: 0 });
});

test('the lines of a day go at once, when all its jobs ended so long ago', async () => {
  const day = Date.now() - 50 * DAY_MS;
  await owner.query(`CREATE TABLE ${tableNameAt(day)} PARTITION OF attempt_logs
    FOR VALUES FROM ('${idAt(day - (day % DAY_MS)).slice(0, 14)}') TO ('${idAt(day - (day % DAY_MS) + DAY_MS).slice(0, 14)}')`);
  const id = await alice.submit(noopJob('nobody'));
  const job = idAt(day);
  await owner.query('UPDATE jobs SET id = $2 WHERE id = $1', [id, job]);
  await line(job);
  expect(await tableOf(job)).toBe(tableNameAt(day));

  expect((await store.tendLogs(30 * DAY_MS, 1)).dropped).toBe(0);
  await owner.query(`UPDATE jobs SET finished_at = clock_timestamp() WHERE id = $1`, [job]);
  expect((await store.tendLogs(30 * DAY_MS, 1)).dropped).toBe(0);
  await owner.query(
    `UPDATE jobs SET finished_at = clock_timestamp() - interval '31 days' WHERE id = $1`,
    [job],
  );
  expect((await store.tendLogs(60 * DAY_MS, 1)).dropped).toBe(0);
  expect((await store.tendLogs(30 * DAY_MS, 1)).dropped).toBe(1);
  expect(await tableOf(job)).toBeUndefined();
});
