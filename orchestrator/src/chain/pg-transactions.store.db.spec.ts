import { testDatabase, type FreshDatabase } from '@tidemill/localnet/testing';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { migrate } from '../platform/db/migrate.js';
import { PgDb } from '../platform/db/pg-db.js';
import { PgTransactionsStore } from './pg-transactions.store.js';
import { describeTransactionsStore } from './testing/transactions.store.contract.js';

let database: FreshDatabase;
let db: PgDb;

beforeAll(async () => {
  database = await testDatabase({ prepare: { key: 'orchestrator_schema', run: migrate } });
  const log = pino({ level: 'silent' });
  db = new PgDb({ url: database.url, role: 'tidemill_app', max: 5, name: 'test' }, log);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

describeTransactionsStore('transactions in PostgreSQL', () => new PgTransactionsStore(db));
