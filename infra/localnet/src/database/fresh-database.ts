import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createDatabase, dropDatabase, onServer, urlOf } from './create-database.js';

/** A database for one test file. */
export interface FreshDatabase {
  readonly name: string;
  readonly url: string;
  drop(): Promise<void>;
}

export interface FreshDatabaseOptions {
  /**
   * Brings an empty database to the wanted state, usually by running the migrations. It runs once for each key, and
   * every database with that key is then a copy, which takes tens of milliseconds.
   */
  readonly prepare?: { readonly key: string; readonly run: (url: string) => Promise<void> };
}

/** Creates a database that nobody else has, empty or prepared. */
export async function freshDatabase(
  adminUrl: string,
  options: FreshDatabaseOptions = {},
): Promise<FreshDatabase> {
  const name = `tidemill_test_${randomBytes(6).toString('hex')}`;
  const template =
    options.prepare === undefined ? undefined : await preparedTemplate(adminUrl, options.prepare);
  const url = await createDatabase(adminUrl, name, { template });
  return { name, url, drop: () => dropDatabase(adminUrl, name) };
}

async function preparedTemplate(
  adminUrl: string,
  { key, run }: NonNullable<FreshDatabaseOptions['prepare']>,
): Promise<string> {
  const name = `tidemill_template_${key}`;
  await onServer(adminUrl, async (client) => {
    // Test files run in several processes; the first one prepares and the others wait for it.
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name]);
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount !== 0) return;
    const draft = `${name}_draft`;
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(draft)} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(draft)}`);
    await run(urlOf(adminUrl, draft));
    // It gets its name only when it is complete.
    await client.query(
      `ALTER DATABASE ${pg.escapeIdentifier(draft)} RENAME TO ${pg.escapeIdentifier(name)}`,
    );
  });
  return name;
}
