import { randomBytes } from 'node:crypto';
import { type Database, dropDatabase, startDatabase } from '@tidemill/localnet';
import pg from 'pg';
import { postmasterOf } from '../postmaster.js';

/** The one PostgreSQL server that everything measured in a run shares. */
export interface BenchServer {
  readonly version: string;
  /** The process whose tree is the whole server. */
  readonly postmaster: number;
  /** Lends a database of its own, dropped afterwards so that its clean-up is not charged to whoever comes next. */
  withDatabase<T>(name: string, work: (url: string) => Promise<T>): Promise<T>;
  /** Writes out what earlier rounds left in memory, so that nobody is charged for their pages. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server with fsync on, or takes the one that DATABASE_URL names if it runs on this machine. */
export async function startBenchServer(log: (line: string) => void): Promise<BenchServer> {
  const database = await startDatabase({ log });
  try {
    const [settings] = await query(
      database.adminUrl,
      `SELECT version(), current_setting('fsync') AS fsync`,
    );
    if (settings?.['fsync'] !== 'on')
      throw new Error('the database server runs with fsync off: nothing it says counts');
    return {
      version: String(settings['version']).split(' on ')[0] ?? '',
      postmaster: database.pid ?? (await postmasterOf(database.adminUrl)),
      withDatabase: (name, work) => withDatabase(database, name, work),
      settle: async () => {
        await query(database.adminUrl, 'CHECKPOINT');
      },
      stop: () => database.stop(),
    };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

async function withDatabase<T>(
  server: Database,
  name: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const unique = `bench_${name.replace(/\W/g, '_')}_${randomBytes(4).toString('hex')}`;
  const url = await server.createDatabase(unique);
  try {
    return await work(url);
  } finally {
    await dropDatabase(server.adminUrl, unique);
  }
}

/** One statement on a connection of its own. */
export async function query(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {}); // A lost connection also fails the statement that waits on it.
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
