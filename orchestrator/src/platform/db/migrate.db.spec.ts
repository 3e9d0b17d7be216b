import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from './migrate.js';

let database: FreshDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await testDatabase({ prepare: { key: 'orchestrator_schema', run: migrate } });
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

test('a database from another cluster, whose rows are ahead of this one, is refused with the command that helps', async () => {
  await client.query(
    `INSERT INTO job_ends (job_id, state, xid) VALUES ('far', 'failed', '30064771079')`,
  );
  await expect(migrate(database.url)).rejects.toThrow('pg_resetwal --epoch=8 ');
  await client.query(`DELETE FROM job_ends`);

  await client.query(`UPDATE stage_cursors SET xid = '4294967999' WHERE stage = 'ledger'`);
  await expect(migrate(database.url)).rejects.toThrow('pg_resetwal --epoch=2 ');
  await client.query(`UPDATE stage_cursors SET xid = '5' WHERE stage = 'ledger'`);
  await migrate(database.url);
});

test('rows of this cluster are no reason, and neither is a second start', async () => {
  await client.query(`INSERT INTO job_ends (job_id, state) VALUES ('near', 'failed')`);
  await migrate(database.url);
  await migrate(database.url);
  const { rows } = await client.query(`SELECT 1 FROM job_ends WHERE job_id = 'near'`);
  expect(rows).toHaveLength(1);
});
