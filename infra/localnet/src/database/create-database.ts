import pg from 'pg';

const CONNECT_DEADLINE_MS = 10_000;

export interface CreateDatabaseOptions {
  /** Copies this database, which nobody may be connected to. Default: an empty one. */
  readonly template?: string | undefined;
}

/** Creates a database on the server of `adminUrl` and returns its URL; fails when the name is taken. */
export async function createDatabase(
  adminUrl: string,
  name: string,
  options: CreateDatabaseOptions = {},
): Promise<string> {
  const template =
    options.template === undefined ? '' : ` TEMPLATE ${pg.escapeIdentifier(options.template)}`;
  await onServer(adminUrl, (client) =>
    client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}${template}`),
  );
  return urlOf(adminUrl, name);
}

/** Creates a database unless it is there. Not for two callers at once. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  await onServer(adminUrl, async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  });
}

/** Drops a database, cutting its connections; nothing happens when it is gone already. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await onServer(adminUrl, (client) =>
    client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`),
  );
}

/** The same server, another database. */
export function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

/** Lends a connection to the server's maintenance database. */
export async function onServer<T>(
  adminUrl: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
  });
  client.on('error', () => {}); // A lost connection also fails the query that waits on it.
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
