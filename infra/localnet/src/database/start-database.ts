import { type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../free-port.js';
import { spawnGuarded } from '../process/guarded-spawn.js';
import { postgresBin } from './binaries.js';
import { type Cluster, openCluster, SUPERUSER } from './cluster.js';
import { DatabaseInUseError, DatabaseStartError } from './errors.js';
import { createDatabase, type CreateDatabaseOptions, urlOf } from './fresh-database.js';
import { serverUser } from './server-user.js';
import { serverSettings } from './settings.js';

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const MAIN_DATABASE = 'tidemill';

export interface StartDatabaseOptions {
  /** Keeps the data in this folder and finds them there again. Without it they are temporary. */
  readonly dir?: string | undefined;
  /** The TCP port on 127.0.0.1. Default: a free one. */
  readonly port?: number | undefined;
  /** Takes one plain sentence for each step. */
  readonly log?: ((message: string) => void) | undefined;
  /** DATABASE_URL names a server to use instead, TIDEMILL_PG_BIN a folder with other PostgreSQL programs. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

export interface Database {
  /** The database `tidemill`, as its owner. */
  readonly url: string;
  /** The maintenance database of the same server. */
  readonly adminUrl: string;
  /** The server's first process, whose children do the work; null for a server that was not started here. */
  readonly pid: number | null;
  /** Where the data lie; null for a server that was not started here. */
  readonly dir: string | null;
  /** The server's own log; null for a server that was not started here. */
  readonly logFile: string | null;
  /** Creates a database on this server and returns its URL. */
  createDatabase(name: string, options?: CreateDatabaseOptions): Promise<string>;
  /** Settles once the server has ended, however that came about. */
  readonly ended: Promise<void>;
  /** Stops the server, keeping every commit, and removes temporary data. A second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL on this machine, with fsync on, a random password and no way in from other machines.
 * It ends with this process, even when that is killed. Throws DatabaseInUseError when the data are being served already.
 */
export async function startDatabase(options: StartDatabaseOptions = {}): Promise<Database> {
  const env = options.env ?? process.env;
  const log = options.log ?? (() => {});
  if (env['DATABASE_URL']) return existingServer(env['DATABASE_URL'], log);

  const user = serverUser();
  const bin = await postgresBin(env['TIDEMILL_PG_BIN'], user);
  log(
    options.dir === undefined
      ? 'making a temporary database'
      : `opening the database in ${options.dir}`,
  );
  const cluster = await openCluster({ dir: options.dir, bin, user });
  try {
    const server = await serve(cluster, { bin, user, port: options.port ?? (await freePort()) });
    log(`PostgreSQL is ready on 127.0.0.1:${server.port}`);
    return await describe(server, cluster);
  } catch (error) {
    await cluster.discard();
    throw error;
  }
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  readonly ended: Promise<void>;
}

async function serve(
  cluster: Cluster,
  {
    bin,
    user,
    port,
  }: { bin: string; user: { uid: number; gid: number } | undefined; port: number },
): Promise<Server> {
  const logFile = join(cluster.dataDir, 'server.log');
  const output = openSync(logFile, 'a');
  const logged = (await readFile(logFile, 'utf8')).length;
  const child = spawnGuarded({
    command: join(bin, 'postgres'),
    args: ['-D', cluster.dataDir, ...serverSettings(port)],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    cwd: cluster.dataDir,
    output,
    stopSignal: 'INT', // Cuts connections and stops cleanly; TERM would wait for every client to leave.
    killAfterMs: STOP_DEADLINE_MS,
    user,
  });
  closeSync(output);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const server = { child, port, pid: child.pid ?? 0, logFile, ended };
  try {
    await ready(server, cluster.dataDir, logged);
    return server;
  } catch (error) {
    await end(server);
    throw error;
  }
}

/** Waits until the server says in its pid file that it takes connections, or has given up. */
async function ready(server: Server, dataDir: string, logged: number): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  let over = false;
  void server.ended.then(() => (over = true));
  while (performance.now() < deadline && !over) {
    const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split(
      '\n',
    );
    if (Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready') return;
    await sleep(20);
  }
  const said = (await readFile(server.logFile, 'utf8')).slice(logged).trim();
  if (/lock file "postmaster.pid" already exists/.test(said)) throw new DatabaseInUseError(dataDir);
  throw new DatabaseStartError(
    `PostgreSQL did not start: ${said.slice(-2000) || 'it said nothing'}`,
  );
}

async function describe(server: Server, cluster: Cluster): Promise<Database> {
  const adminUrl = `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${server.port}/postgres`;
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= end(server).then(() => cluster.discard()));
  try {
    await ensureDatabase(adminUrl, MAIN_DATABASE);
  } catch (error) {
    await end(server);
    throw error;
  }
  return {
    url: urlOf(adminUrl, MAIN_DATABASE),
    adminUrl,
    pid: server.pid,
    dir: cluster.dataDir,
    logFile: server.logFile,
    createDatabase: (name, options) => createDatabase(adminUrl, name, options),
    ended: server.ended,
    stop,
  };
}

/** Asks for a fast shutdown, then for an immediate one (the log is replayed at the next start), then insists. */
async function end(server: Server): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (server.child.exitCode !== null || server.child.signalCode !== null) return;
    server.child.kill(signal);
    await Promise.race([server.ended, sleep(STOP_DEADLINE_MS, undefined, { ref: false })]);
  }
}

async function existingServer(url: string, log: (message: string) => void): Promise<Database> {
  log('using the PostgreSQL that DATABASE_URL names');
  return {
    url,
    adminUrl: url,
    pid: null,
    dir: null,
    logFile: null,
    createDatabase: (name, options) => createDatabase(url, name, options),
    ended: new Promise(() => {}),
    stop: () => Promise.resolve(),
  };
}

async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {}); // A lost connection also fails the query that waits on it.
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
