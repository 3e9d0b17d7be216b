import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from './db/migrate.js';
import { PgDb } from './db/pg-db.js';
import { PgWakeups } from './pg-wakeups.js';

const log = pino({ level: 'silent' });
let database: FreshDatabase;
let db: PgDb;
let here: PgWakeups;
let there: PgWakeups;

beforeAll(async () => {
  database = await testDatabase({ prepare: { key: 'orchestrator_schema', run: migrate } });
  db = new PgDb({ url: database.url, role: 'tidemill_app', max: 3, name: 'test' }, log);
  here = new PgWakeups(database.url, log);
  there = new PgWakeups(database.url, log);
  await Promise.all([here.onApplicationBootstrap(), there.onApplicationBootstrap()]);
});
afterAll(async () => {
  await Promise.all([here.onApplicationShutdown(), there.onApplicationShutdown()]);
  await db.close();
  await database.drop();
});

/** Counts what wakes a channel in both processes. */
function counting(channel: Parameters<PgWakeups['on']>[0]) {
  const woken = { here: 0, there: 0 };
  here.on(channel, () => (woken.here += 1));
  there.on(channel, () => (woken.there += 1));
  return woken;
}

test('a commit wakes the listeners of its channels in every process', async () => {
  const tasks = counting('tasks');
  const receipts = counting('receipts');
  const jobs = counting('job');
  await db.transaction((tx) => here.notify(tx, 'tasks', 'receipts'));
  await expect
    .poll(() => [tasks, receipts], { timeout: 10_000 })
    .toEqual([
      { here: 1, there: 1 },
      { here: 1, there: 1 },
    ]);
  expect(jobs).toEqual({ here: 0, there: 0 });
});

test('what is not committed wakes nobody', async () => {
  const receipts = counting('receipts');
  await expect(
    db.transaction(async (tx) => {
      await here.notify(tx, 'receipts');
      throw new Error('changed its mind');
    }),
  ).rejects.toThrow('changed its mind');
  await db.transaction((tx) => here.notify(tx, 'cancel'));
  await db.transaction((tx) => here.notify(tx, 'receipts'));
  await expect.poll(() => receipts, { timeout: 10_000 }).toEqual({ here: 1, there: 1 });
});

test('a local wake-up is for this process alone', async () => {
  const verdicts = counting('verdicts');
  here.local('verdicts');
  expect(verdicts).toEqual({ here: 1, there: 0 });
});

test('all who listen to a channel are woken', async () => {
  const first = counting('job');
  const second = counting('job');
  here.local('job');
  expect([first.here, second.here]).toEqual([1, 1]);
});

test('a listener whose connection was killed hears again soon after', async () => {
  const jobs = counting('job');
  const killed = await new PgDb(
    { url: database.url, role: 'none', max: 1, name: 'killer' },
    log,
  ).query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidemill-wakeups' AND datname = current_database()`,
  );
  expect(killed).toHaveLength(2);
  await expect
    .poll(
      async () => {
        await db.transaction((tx) => here.notify(tx, 'job'));
        return jobs.here > 0 && jobs.there > 0;
      },
      { timeout: 10_000, interval: 200 },
    )
    .toBe(true);
});

test('without a database it keeps trying in the background, and a stop ends that', async () => {
  const nowhere = new PgWakeups('postgresql://nobody@127.0.0.1:1/none', log);
  await nowhere.onApplicationBootstrap();
  await nowhere.onApplicationShutdown();
});
