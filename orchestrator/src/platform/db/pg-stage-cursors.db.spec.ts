import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Tx } from './db.js';
import { migrate } from './migrate.js';
import { PgDb } from './pg-db.js';
import { PgStageCursors } from './pg-stage-cursors.js';

const STAGE = 'ledger';
const cursors = new PgStageCursors();
/** Transactions of any database of the server may hold a window back. */
const PATIENCE = { timeout: 20_000 };
const log = pino({ level: 'silent' });
let database: FreshDatabase;
let db: PgDb;
/** Sees what everybody waits for. */
let superuser: PgDb;

beforeAll(async () => {
  database = await testDatabase({ prepare: { key: 'orchestrator_schema', run: migrate } });
  db = new PgDb({ url: database.url, role: 'tidemill_app', max: 6, name: 'test' }, log);
  superuser = new PgDb({ url: database.url, role: 'none', max: 1, name: 'test' }, log);
});
afterAll(async () => {
  await Promise.all([db.close(), superuser.close()]);
  await database.drop();
});
beforeEach(() => takeAll());

/** A promise and what settles it. */
function signal() {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { give, given };
}

let names = 0;
/** Writes a row that the stage reads: here the end of a job. */
async function write(tx: Tx, name = `job-${(names += 1)}`): Promise<string> {
  await tx.query('INSERT INTO job_ends (job_id, state) VALUES ($1, $2)', [name, 'succeeded']);
  return name;
}

/** One turn of a stage: the rows of its window, read once. */
const take = (during: () => Promise<void> = () => Promise.resolve()): Promise<string[]> =>
  db.transaction(async (tx) => {
    const { from, to } = await cursors.open(tx, STAGE);
    const rows = await tx.query<{ job_id: string }>(
      'SELECT job_id FROM job_ends WHERE xid >= $1::xid8 AND xid < $2::xid8 ORDER BY xid',
      [from, to],
    );
    await during();
    await cursors.close(tx, STAGE, to);
    return rows.map(({ job_id }) => job_id);
  });

/** Turns until what has been committed has been read. */
async function takeAll(): Promise<string[]> {
  const marker = await write(db);
  const taken: string[] = [];
  await expect
    .poll(async () => {
      taken.push(...(await take()));
      return taken.includes(marker);
    }, PATIENCE)
    .toBe(true);
  return taken.filter((name) => name !== marker);
}

test('what was committed is read once, in the order of its transactions', async () => {
  const first = await write(db);
  const second = await write(db);
  expect(await takeAll()).toEqual([first, second]);
  expect(await takeAll()).toEqual([]);
});

test('a row of a transaction that commits late is not skipped, however many came after it', async () => {
  const isWritten = signal();
  const mayCommit = signal();
  const late = db.transaction(async (tx) => {
    const name = await write(tx);
    isWritten.give();
    await mayCommit.given;
    return name;
  });
  await isWritten.given;
  const later = [await write(db), await write(db)];
  expect(await take()).toEqual([]);
  expect(await take()).toEqual([]);
  mayCommit.give();
  const name = await late;
  expect(await takeAll()).toEqual([name, ...later]);
});

test('what is rolled back is never read and holds nobody up afterwards', async () => {
  await expect(
    db.transaction(async (tx) => {
      await write(tx);
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  const name = await write(db);
  expect(await takeAll()).toEqual([name]);
});

test('two replicas never read the same window: the second one waits for the first', async () => {
  const names = [await write(db), await write(db)];
  // Both begin at once, and the first stays in its turn for a while.
  const isReading = signal();
  const mayEnd = signal();
  const first = take(async () => {
    isReading.give();
    await mayEnd.given;
  });
  await isReading.given;
  let isSecondDone = false;
  const second = take().then((rows) => {
    isSecondDone = true;
    return rows;
  });
  await expect
    .poll(async () => {
      const rows = await superuser.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows.length;
    }, PATIENCE)
    .toBe(1);
  expect(isSecondDone).toBe(false);
  mayEnd.give();
  const read = [...(await first), ...(await second), ...(await takeAll())];
  expect(read.filter((name) => names.includes(name))).toEqual(names);
});

test('a replica that saw less before it had to wait does not move the cursor back', async () => {
  const other = signal();
  const mayEnd = signal();
  // Somebody else's turn holds the cursor, and leaves it beyond what the waiting statement could see when it began.
  const beyond = db.transaction(async (tx) => {
    await cursors.open(tx, STAGE);
    other.give();
    await mayEnd.given;
    const [row] = await db.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
    await cursors.close(tx, STAGE, row?.xid ?? '');
    return row?.xid ?? '';
  });
  await other.given;
  const waiting = db.transaction((tx) => cursors.open(tx, STAGE));
  await expect
    .poll(async () => {
      const rows = await superuser.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows.length;
    }, PATIENCE)
    .toBe(1);
  mayEnd.give();
  const xid = await beyond;
  expect(await waiting).toEqual({ from: xid, to: xid });
});

test('a turn that fails moves nothing', async () => {
  const name = await write(db);
  await expect(take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await takeAll()).toEqual([name]);
});

test('a stage without a cursor is told so', async () => {
  await expect(db.transaction((tx) => cursors.open(tx, 'nobody'))).rejects.toThrow(
    'no cursor for nobody',
  );
});
