import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { refuseBehindItsRows } from './behind-its-rows.js';

const FOLDER = fileURLToPath(new URL('../../../migrations', import.meta.url));
/** Two orchestrators that start at once take turns under this advisory lock. */
const LOCK = 7_316_401;

/** A change that waits longer for somebody's transaction fails: behind it everybody who uses the table would wait too. */
const MIGRATION_LOCK_TIMEOUT = '10s';

/** Brings the database up to this build's schema. Forward only; running it again does nothing. @throws Error for a database that is not safe to use */
export async function migrate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'tidemill-migrate' });
  await client.connect();
  try {
    await refuseUnsafeSettings(client);
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await client.query(`SET lock_timeout = '${MIGRATION_LOCK_TIMEOUT}'`);
    await applyMigrations(drizzle(client), {
      migrationsFolder: FOLDER,
      migrationsSchema: 'public',
      migrationsTable: 'schema_migrations',
    });
    await refuseBehindItsRows(client);
  } finally {
    await client.end();
  }
}

/** An acknowledged job must survive a crash, so a database that forgets commits is refused (A.1 of the guarantees). */
async function refuseUnsafeSettings(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')`,
  );
  const unsafe = rows.filter(({ setting }) => setting === 'off').map(({ name }) => name);
  if (unsafe.length > 0)
    throw new Error(`the database has ${unsafe.join(' and ')} off and could lose accepted jobs`);
}
