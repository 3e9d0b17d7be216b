import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { freePort } from '../free-port.js';
import { startProcess } from '../process/start-process.js';
import { builtDoor } from '../testing/built.js';
import { isRunning } from '../testing/running.js';
import { until } from '../testing/until.js';
import { DatabaseInUseError, DatabaseStartError } from './errors.js';
import { type Database, startDatabase } from './start-database.js';

const folder = mkdtempSync(join(tmpdir(), 'tidemill-databases-'));
chmodSync(folder, 0o755);
const started: Database[] = [];
let door: string;
beforeAll(async () => {
  door = await builtDoor();
});
afterAll(async () => {
  await Promise.all(started.map((database) => database.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Parameters<typeof startDatabase>[0] = {}): Promise<Database> {
  const database = await startDatabase({ env: {}, ...options });
  started.push(database);
  return database;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // Servers are stopped and killed here; a query that is cut off still rejects.
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('a temporary database is durable while it runs and gone when it is stopped', async () => {
  const steps: string[] = [];
  const database = await start({ log: (message) => steps.push(message) });
  const settings = await query(
    database.url,
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
            current_setting('server_encoding') AS encoding, current_setting('lc_collate', true) AS collate,
            current_database() AS name`,
  );
  expect(settings).toEqual([
    { fsync: 'on', commit: 'on', encoding: 'UTF8', collate: null, name: 'tidemill' },
  ]);
  expect(steps.join('\n')).toMatch(/temporary database\nPostgreSQL is ready on 127\.0\.0\.1:\d+$/);
  await database.stop();
  expect(isRunning(database.pid as number)).toBe(false);
  expect(existsSync(dirname(database.dir as string))).toBe(false);
});

test('ids sort by bytes, whatever the language of the machine', async () => {
  const sorted = await query(
    inject('databaseAdminUrl'),
    `SELECT x FROM (VALUES ('b'), ('A'), ('a'), ('_')) v(x) ORDER BY x`,
  );
  expect(sorted.map((row) => row['x']).join('')).toBe('A_ab');
});

test('only somebody with the password gets in, and only from this machine', async () => {
  const url = new URL(inject('databaseAdminUrl'));
  url.password = 'not-the-password';
  await expect(query(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  expect(await query(inject('databaseAdminUrl'), 'SHOW listen_addresses')).toEqual([
    { listen_addresses: '127.0.0.1' },
  ]);
});

test('data in a folder are there again after a stop, on another port', async () => {
  const dir = join(folder, 'kept');
  const first = await start({ dir });
  await query(first.url, `CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)`);
  await first.stop();
  const port = await freePort();
  const second = await start({ dir, port });
  expect(new URL(second.url).port).toBe(String(port));
  expect(await query(second.url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);
  await second.stop();
  expect(statSync(second.dir as string).mode & 0o077).toBe(0);
});

test('a folder that only its owner may enter keeps its data too, and forgets them when it is deleted', async () => {
  // Under root the server is another user, who cannot go there: the data then lie elsewhere, behind a link.
  const dir = join(folder, 'closed', 'home');
  mkdirSync(dirname(dir), { mode: 0o700 });
  const first = await start({ dir });
  await query(first.url, 'CREATE TABLE kept (id int)');
  await first.stop();
  const second = await start({ dir });
  expect(second.dir).toBe(first.dir);
  expect(await query(second.url, `SELECT to_regclass('kept')::text AS found`)).toEqual([
    { found: 'kept' },
  ]);
  await second.stop();
  rmSync(dir, { recursive: true });
  const third = await start({ dir });
  expect(await query(third.url, `SELECT to_regclass('kept')::text AS found`)).toEqual([
    { found: null },
  ]);
  await third.stop();
  for (const { dir: data } of [first, third])
    rmSync(dirname(data as string), { recursive: true, force: true });
});

test('data that are being served cannot be opened a second time', async () => {
  const dir = join(folder, 'twice');
  const first = await start({ dir });
  await expect(startDatabase({ dir, env: {} })).rejects.toThrow(DatabaseInUseError);
  expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await first.stop();
});

test('of two starts at once on an empty folder one serves and the other is refused', async () => {
  const dir = join(folder, 'race');
  const outcomes = await Promise.allSettled([start({ dir }), start({ dir })]);
  const served = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(served).toHaveLength(1);
  expect(refused.map((outcome) => outcome.reason as unknown)).toEqual([
    expect.any(DatabaseInUseError),
  ]);
  await served[0]?.value.stop();
});

test('a commit survives a server that was killed', async () => {
  const dir = join(folder, 'killed');
  const first = await start({ dir });
  await query(
    first.url,
    `CREATE TABLE survived (id int); INSERT INTO survived SELECT generate_series(1, 1000)`,
  );
  process.kill(first.pid as number, 'SIGKILL');
  await first.ended;
  const second = await start({ dir });
  expect(await query(second.url, 'SELECT count(*)::int AS n FROM survived')).toEqual([{ n: 1000 }]);
  await second.stop();
});

test('a stop does not wait for clients that stay connected', async () => {
  const database = await start();
  const client = new pg.Client({ connectionString: database.url });
  const cut = new Promise<void>((resolve) => client.on('error', () => resolve()));
  await client.connect();
  await database.stop();
  await cut;
  expect(isRunning(database.pid as number)).toBe(false);
});

test('a server and its temporary data go when the process that started it is killed', async () => {
  const starter = await startProcess({
    name: 'the starter',
    command: process.execPath,
    args: [
      '-e',
      `import(${JSON.stringify(door)}).then(async ({ startDatabase }) => {
         const { pid, dir } = await startDatabase({ env: {} });
         console.log('started', pid, dir);
       });`,
    ],
    logFile: join(folder, 'starter.log'),
    readyWhen: { line: /started (\d+) (.+)/ },
  });
  const [pid, dir] = [Number(starter.readyLine?.[1]), String(starter.readyLine?.[2])];
  expect(isRunning(pid)).toBe(true);
  starter.signal('SIGKILL');
  await starter.ended;
  await until('the server has ended', () => !isRunning(pid));
  await until('the data are gone', () => !existsSync(dirname(dir)));
});

test('an interrupt from the terminal reaches the starter, not the server', async () => {
  const database = await start();
  const group = Number(
    readFileSync(`/proc/${database.pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[2],
  );
  expect(group).toBe(database.pid);
  await database.stop();
});

test('a server that DATABASE_URL names is used and left running', async () => {
  const url = inject('databaseAdminUrl');
  const database = await startDatabase({ env: { DATABASE_URL: url } });
  expect(database).toMatchObject({ url, adminUrl: url, pid: null, dir: null, logFile: null });
  const created = await database.createDatabase('made_through_a_url');
  expect(await query(created, 'SELECT current_database() AS name')).toEqual([
    { name: 'made_through_a_url' },
  ]);
  await database.stop();
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a start that fails says why and leaves nothing behind', async () => {
  const missing = startDatabase({ env: { TIDEMILL_PG_BIN: '/no/such/folder' } });
  await expect(missing).rejects.toThrow(DatabaseStartError);
  const taken = Number(new URL(inject('databaseAdminUrl')).port);
  await expect(startDatabase({ env: {}, port: taken })).rejects.toThrow(/could not bind/);
});
