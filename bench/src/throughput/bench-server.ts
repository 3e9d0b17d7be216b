import { randomBytes } from 'node:crypto';
import { type Database, dropDatabase, startDatabase } from '@tidemill/localnet';
import pg from 'pg';
import { postmasterOf } from '../postmaster.js';
import { type TemporaryFolder, temporaryFolder } from '../temporary-folder.js';

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

interface BenchServerOptions {
  readonly log: (line: string) => void;
  /** Lets the server keep count of its statements, which costs it a little. */
  readonly countStatements: boolean;
}

/** Starts a server with fsync on, or takes the one that DATABASE_URL names if it runs on this machine. */
export async function startBenchServer({
  log,
  countStatements,
}: BenchServerOptions): Promise<BenchServer> {
  const home = countStatements ? await homeThatCounts(log) : undefined;
  const database = await startDatabase({ log, dir: home?.path });
  const stop = async () => {
    await database.stop();
    await home?.remove();
  };
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
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The library that counts is loaded when a server starts, so one start is spent on asking for it. */
async function homeThatCounts(log: (line: string) => void): Promise<TemporaryFolder> {
  // The server may run as another user, who has to get to the data in it.
  const home = temporaryFolder({ open: true });
  const first = await startDatabase({ log, dir: home.path });
  try {
    await query(first.adminUrl, `ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
    await query(first.adminUrl, `ALTER SYSTEM SET pg_stat_statements.track_planning = on`);
  } finally {
    await first.stop();
  }
  return home;
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
