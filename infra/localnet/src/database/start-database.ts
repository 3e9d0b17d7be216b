import { closeSync, fstatSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.js';
import { type GuardedProcess, spawnGuarded } from '../process/guarded-spawn.js';
import { logTail } from '../process/log-lines.js';
import { postgresBin } from './binaries.js';
import { type Cluster, openCluster, SUPERUSER } from './cluster.js';
import { DatabaseInUseError, DatabaseStartError } from './errors.js';
import {
  createDatabase,
  type CreateDatabaseOptions,
  ensureDatabase,
  urlOf,
} from './create-database.js';
import { type ServerUser, serverUser } from './server-user.js';
import { serverSettings } from './settings.js';

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const CRASH_DEADLINE_MS = 10_000;
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
    const server = await serveAfterCrash(cluster, {
      bin,
      user,
      port: options.port ?? (await freePort()),
    });
    log(`PostgreSQL is ready on 127.0.0.1:${server.port}`);
    return await describe(server, cluster);
  } catch (error) {
    await cluster.discard();
    throw error;
  }
}

interface Server {
  readonly process: GuardedProcess;
  readonly port: number;
  readonly logFile: string;
}

interface ServeOptions {
  readonly bin: string;
  readonly user: ServerUser | undefined;
  readonly port: number;
}

/** The children of a server that was killed need a moment to notice; until then a new one may not touch the data. */
async function serveAfterCrash(cluster: Cluster, options: ServeOptions): Promise<Server> {
  const deadline = performance.now() + CRASH_DEADLINE_MS;
  for (;;) {
    try {
      return await serve(cluster, options);
    } catch (error) {
      const lingering =
        error instanceof DatabaseStartError && error.message.includes('shared memory block');
      if (!lingering || performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

async function serve(cluster: Cluster, { bin, user, port }: ServeOptions): Promise<Server> {
  const logFile = join(cluster.dataDir, 'server.log');
  const output = openSync(logFile, 'a');
  const logStart = fstatSync(output).size;
  const process = await spawnGuarded({
    command: join(bin, 'postgres'),
    args: ['-D', cluster.dataDir, ...serverSettings(port)],
    env: { LC_ALL: 'C' },
    cwd: cluster.dataDir,
    output,
    stopSignal: 'SIGINT', // Cuts connections and stops cleanly; SIGTERM would wait for every client to leave.
    killAfterMs: STOP_DEADLINE_MS,
    temporaryFolder: cluster.temporaryFolder,
    user,
  }).finally(() => closeSync(output));
  const server = { process, port, logFile };
  try {
    await ready(server, cluster.dataDir, logStart);
    return server;
  } catch (error) {
    await process.stop();
    throw error;
  }
}

/** Waits until the server says in its pid file that it takes connections, or has given up. */
async function ready(server: Server, dataDir: string, logStart: number): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (performance.now() < deadline && server.process.outcome() === undefined) {
    const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split(
      '\n',
    );
    if (Number(lines[0]) === server.process.pid && lines[7]?.trim() === 'ready') return;
    await sleep(20);
  }
  const said = await logTail(server.logFile, logStart);
  if (said.includes('lock file "postmaster.pid" already exists'))
    throw new DatabaseInUseError(dataDir);
  throw new DatabaseStartError(`PostgreSQL did not start: ${said || 'it said nothing'}`);
}

async function describe(server: Server, cluster: Cluster): Promise<Database> {
  const adminUrl = `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${server.port}/postgres`;
  try {
    await ensureDatabase(adminUrl, MAIN_DATABASE);
  } catch (error) {
    await server.process.stop();
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    url: urlOf(adminUrl, MAIN_DATABASE),
    adminUrl,
    pid: server.process.pid,
    dir: cluster.dataDir,
    logFile: server.logFile,
    createDatabase: (name, options) => createDatabase(adminUrl, name, options),
    ended: server.process.ended.then(() => {}),
    stop: () => (stopping ??= server.process.stop().then(() => cluster.discard())),
  };
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
