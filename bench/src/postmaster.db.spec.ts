import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cpuSeconds } from './cpu.js';
import { postmasterOf } from './postmaster.js';

let database: FreshDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

it('finds the server whose CPU time rises with a query, also after the connection is closed', async () => {
  const postmaster = await postmasterOf(database.url);
  const before = cpuSeconds(postmaster);

  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('SELECT sum(sqrt(n)) FROM generate_series(1, 3000000) AS n');
  const during = cpuSeconds(postmaster);
  await client.end();

  expect(during - before).toBeGreaterThan(0.1);
  await expect.poll(() => cpuSeconds(postmaster)).toBeGreaterThanOrEqual(during);
});
