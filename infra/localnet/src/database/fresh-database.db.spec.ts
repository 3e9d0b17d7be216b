import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { testDatabase } from '../testing/index.js';
import { createDatabase } from './create-database.js';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('two fresh databases do not see each other', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  await query(one.url, 'CREATE TABLE only_here (id int)');
  expect(await query(one.url, "SELECT to_regclass('only_here')::text AS found")).toEqual([
    { found: 'only_here' },
  ]);
  expect(await query(two.url, "SELECT to_regclass('only_here')::text AS found")).toEqual([
    { found: null },
  ]);
  await Promise.all([one.drop(), two.drop()]);
});

test('a prepared state is made once and copied after that', async () => {
  let prepared = 0;
  const prepare = {
    key: 'copied_after_that',
    run: async (url: string) => {
      prepared += 1;
      await query(url, 'CREATE TABLE t (id int); INSERT INTO t VALUES (7)');
    },
  };
  const copies = await Promise.all([1, 2, 3, 4].map(() => testDatabase({ prepare })));
  expect(prepared).toBe(1);
  for (const copy of copies) expect(await query(copy.url, 'SELECT id FROM t')).toEqual([{ id: 7 }]);
  await Promise.all(copies.map((copy) => copy.drop()));
});

test('a preparation that fails leaves no template behind', async () => {
  const prepare = (run: (url: string) => Promise<void>) => ({
    prepare: { key: 'second_try', run },
  });
  await expect(
    testDatabase(
      prepare(async (url) => {
        await query(url, 'CREATE TABLE half_done (id int)');
        throw new Error('the migration broke');
      }),
    ),
  ).rejects.toThrow('the migration broke');
  const second = await testDatabase(
    prepare((url) => query(url, 'CREATE TABLE whole (id int)').then(() => {})),
  );
  const tables = await query(
    second.url,
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
  );
  expect(tables).toEqual([{ tablename: 'whole' }]);
  await second.drop();
});

test('a dropped database is gone even while somebody is connected', async () => {
  const database = await testDatabase();
  const client = new pg.Client({ connectionString: database.url });
  const cut = new Promise<Error>((resolve) => client.on('error', resolve));
  await client.connect();
  await database.drop();
  expect((await cut).message).toMatch(/terminat/i);
  await expect(query(database.url, 'SELECT 1')).rejects.toThrow('does not exist');
});

test('a name that is taken is refused', async () => {
  const database = await testDatabase();
  await expect(createDatabase(inject('databaseAdminUrl'), database.name)).rejects.toThrow(
    'already exists',
  );
  await database.drop();
});
