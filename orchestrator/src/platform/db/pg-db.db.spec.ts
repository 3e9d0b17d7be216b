import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import fc from 'fast-check';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseUnavailableError } from './db.js';
import { migrate } from './migrate.js';
import { PgDb } from './pg-db.js';

const log = pino({ level: 'silent' });
let database: FreshDatabase;
let db: PgDb;

beforeAll(async () => {
  database = await testDatabase({ prepare: { key: 'orchestrator_schema', run: migrate } });
  db = open(4);
  await db.transaction((tx) => tx.query('SELECT 1'));
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const open = (max: number, role = 'tidemill_app', url = database.url) =>
  new PgDb({ url, role, max, name: 'test' }, log);

describe('lists of texts', () => {
  const back = async (texts: readonly (string | null)[]) =>
    (await db.query<{ texts: (string | null)[] }>('SELECT $1::text[] AS texts', [texts]))[0]?.texts;

  test.each([
    [['']],
    [['', '']],
    [['null', 'NULL', 'Null', 'nul', 'NULL ']],
    [['a,b', ',', '{', '}', '{}', '{a}', '"', '""', '\\', '\\\\', '\\"', "'", '$1']],
    [[' ', '  a', 'a  ', '\t', '\n', '\r\n']],
    [['ä', '漢字', '👩‍🔬', '\u202e', '\u00a0', 'e\u0301', '\ufffd']],
    [['a', null, 'b', null]],
    [['x'.repeat(100_000)]],
    [['sha256:00ff', 'att_1', '1.5', '-1', '00000000-0000']],
    [[]],
  ])('%j come back as they were sent', async (texts) => {
    expect(await back(texts)).toEqual(texts);
  });

  test('of any characters come back as they were sent', async () => {
    // PostgreSQL keeps every character but NUL; halves of characters are no text.
    const text = fc.oneof(
      fc.string({ unit: 'binary' }).map((any) => any.replaceAll('\u0000', '')),
      fc.stringMatching(/^[{}",\\ NULnul]{0,8}$/),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
        expect(await back(texts)).toEqual(texts);
      }),
      { numRuns: 200 },
    );
  });
});

test('lists of bytes come back as they were sent', async () => {
  const bytes = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(bytes, async (list) => {
      const [row] = await db.query<{ list: Buffer[] }>('SELECT $1::bytea[] AS list', [list]);
      expect(row?.list.map((one) => one.toString('hex'))).toEqual(
        list.map((one) => Buffer.from(one).toString('hex')),
      );
    }),
    { numRuns: 100 },
  );
});

test('lists of numbers, truths, times and nothing are left as they are', async () => {
  const at = new Date('2030-01-02T03:04:05.678Z');
  const [row] = await db.query(
    'SELECT $1::bigint[] AS big, $2::int[] AS small, $3::boolean[] AS truths, $4::timestamptz[] AS times, $5::text[] AS none',
    [[9_007_199_254_740_993n, null], [1, -2], [true, false], [at, null], [null]],
  );
  expect(row).toEqual({
    big: ['9007199254740993', null].map((n) =>
      n === null ? null : expect.toSatisfy((v: unknown) => String(v) === n),
    ),
    small: [1, -2],
    truths: [true, false],
    times: [at, null],
    none: [null],
  });
});

test('whole numbers of 64 bits are not rounded', async () => {
  const [row] = await db.query('SELECT 9007199254740993::bigint AS n, $1::bigint AS m', [
    -(2n ** 63n),
  ]);
  expect(row).toEqual({ n: 9_007_199_254_740_993n, m: -(2n ** 63n) });
});

describe('a transaction', () => {
  test('that throws leaves nothing', async () => {
    const gone = db.transaction(async (tx) => {
      await tx.query(`INSERT INTO job_ends (job_id, state) VALUES ('never', 'failed')`);
      throw new Error('no');
    });
    await expect(gone).rejects.toThrow('no');
    expect(await db.query(`SELECT 1 FROM job_ends WHERE job_id = 'never'`)).toEqual([]);
  });

  test('that deadlocks with another runs again, and both are done', async () => {
    for (const id of ['a', 'b'])
      await db.query(
        'INSERT INTO idempotency_keys (account_id, key, operation, body_digest) VALUES ($1, $1, $1, $2)',
        [id, Buffer.alloc(1)],
      );
    let runs = 0;
    let arrived = 0;
    let go: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (go = resolve));
    const update = (ids: readonly string[]) =>
      db.transaction(async (tx) => {
        runs += 1;
        for (const id of ids) {
          await tx.query(
            `UPDATE idempotency_keys SET answer = coalesce(answer, '') || 'x' WHERE account_id = $1`,
            [id],
          );
          arrived += 1;
          if (arrived === 2) go();
          await both;
        }
      });
    await Promise.all([update(['a', 'b']), update(['b', 'a'])]);
    expect(runs).toBe(3);
    expect(await db.query(`SELECT answer FROM idempotency_keys WHERE key IN ('a', 'b')`)).toEqual([
      { answer: 'xx' },
      { answer: 'xx' },
    ]);
  });

  test('of one statement runs again as well', async () => {
    for (const id of ['c', 'd'])
      await db.query(
        'INSERT INTO idempotency_keys (account_id, key, operation, body_digest) VALUES ($1, $1, $1, $2)',
        [id, Buffer.alloc(1)],
      );
    // Each takes its first row, waits until the other has its own, and wants that.
    const update = (first: string, second: string) => `DO $$ BEGIN
      UPDATE idempotency_keys SET answer = coalesce(answer, '') || 'x' WHERE account_id = '${first}';
      PERFORM pg_sleep(0.3);
      UPDATE idempotency_keys SET answer = coalesce(answer, '') || 'x' WHERE account_id = '${second}';
    END $$`;
    await Promise.all([db.query(update('c', 'd')), db.query(update('d', 'c'))]);
    expect(await db.query(`SELECT answer FROM idempotency_keys WHERE key IN ('c', 'd')`)).toEqual([
      { answer: 'xx' },
      { answer: 'xx' },
    ]);
  });

  test('that fails for ever is given up after a few tries', async () => {
    let runs = 0;
    const failing = db.transaction(async (tx) => {
      runs += 1;
      await tx.query(`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$`);
    });
    await expect(failing).rejects.toThrow(DatabaseUnavailableError);
    expect(runs).toBe(4);
  });

  test('that breaks a rule is not tried again', async () => {
    let runs = 0;
    const failing = db.transaction(async (tx) => {
      runs += 1;
      await tx.query(`INSERT INTO tasks (id) VALUES ('half')`);
    });
    await expect(failing).rejects.toMatchObject({ code: '23502' });
    expect(runs).toBe(1);
  });
});

test.each(['53100', '53200', '53300'])(
  'a server without room (%s) is one that cannot be used now: nothing is kept, and later it goes on (G24)',
  async (code) => {
    const one = open(1);
    const full = one.transaction(async (tx) => {
      await tx.query(`INSERT INTO job_ends (job_id, state) VALUES ('no-room', 'failed')`);
      await tx.query(`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '${code}'; END $$`);
    });
    await expect(full).rejects.toThrow(DatabaseUnavailableError);
    expect(await one.query(`SELECT 1 FROM job_ends WHERE job_id = 'no-room'`)).toEqual([]);
    await one.close();
  },
);

test('a statement that waits for a lock beyond its time is one that may go better later (G24)', async () => {
  const one = open(1);
  const late = one.transaction(async (tx) => {
    await tx.query(`SET LOCAL statement_timeout = '50ms'`);
    await tx.query('SELECT pg_sleep(60)');
  });
  await expect(late).rejects.toThrow(DatabaseUnavailableError);
  expect(await one.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await one.close();
});

test('a connection that has lost its prepared statements is replaced, and the transaction runs again (G24)', async () => {
  const one = open(1);
  const backend = 'SELECT pg_backend_pid() AS pid';
  const pids: unknown[] = [];
  for (const runs of [1, 2]) {
    const [row] = await one.transaction(async (tx) => tx.query(backend));
    pids.push(row?.['pid']);
    if (runs === 1) await one.pool.query('DEALLOCATE ALL');
  }
  expect(new Set(pids).size).toBe(2);
  await one.close();
});

test('each has taken its role', async () => {
  const sequencer = open(1, 'tidemill_sequencer');
  const [app, other] = await Promise.all(
    [db, sequencer].map(async (one) => (await one.query('SELECT current_user AS role'))[0]),
  );
  expect([app, other]).toEqual([{ role: 'tidemill_app' }, { role: 'tidemill_sequencer' }]);
  await expect(sequencer.query('UPDATE jobs SET state = state')).rejects.toMatchObject({
    code: '42501',
  });
  await sequencer.close();
});

describe('without a server', () => {
  test('it says that the database does not answer', async () => {
    const nowhere = open(1, 'none', 'postgresql://nobody@127.0.0.1:1/none');
    await expect(nowhere.query('SELECT 1')).rejects.toThrow(DatabaseUnavailableError);
    await expect(nowhere.transaction((tx) => tx.query('SELECT 1'))).rejects.toThrow(
      DatabaseUnavailableError,
    );
    await nowhere.close();
  });

  test('a connection that is killed in a transaction says so, and the next one works', async () => {
    const one = open(1);
    const cut = one.transaction(async (tx) => {
      const [me] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const killer = open(1, 'none');
      await killer.query('SELECT pg_terminate_backend($1)', [me?.pid]);
      await killer.close();
      await tx.query('SELECT 1');
    });
    await expect(cut).rejects.toThrow(DatabaseUnavailableError);
    expect(await one.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await one.close();
  });

  test('a connection that is lost between two statements of a transaction does not end the process (G24)', async () => {
    const one = open(1);
    const killer = open(1, 'none');
    const cut = one.transaction(async (tx) => {
      const [me] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await killer.query('SELECT pg_terminate_backend($1)', [me?.pid]);
      await expect
        .poll(() => killer.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [me?.pid]))
        .toEqual([]);
      // What the server said last has been read by now, and an error that nobody hears ends a process.
      await new Promise((resolve) => setTimeout(resolve, 50));
      await tx.query('SELECT 1');
    });
    await expect(cut).rejects.toThrow(DatabaseUnavailableError);
    expect(await one.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await Promise.all([one.close(), killer.close()]);
  });

  test('one that takes connections and says nothing is given up', { timeout: 20_000 }, async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as AddressInfo;
    const one = open(1, 'none', `postgresql://nobody@127.0.0.1:${port}/none`);
    await expect(one.query('SELECT 1')).rejects.toThrow(DatabaseUnavailableError);
    for (const socket of sockets) socket.destroy();
    mute.close();
    await one.close();
  });
});
