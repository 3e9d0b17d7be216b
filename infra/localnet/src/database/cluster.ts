import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DatabaseStartError } from './errors.js';
import { isReachable } from './reachable.js';
import type { ServerUser } from './server-user.js';

const run = promisify(execFile);
const INITDB_DEADLINE_MS = 120_000;
const PASSWORD_FILE = 'tidemill.password';

/** The role that owns everything in an embedded server. */
export const SUPERUSER = 'tidemill';

/** A data folder that is ready to be served. */
export interface Cluster {
  /** Where the data really lie. */
  readonly dataDir: string;
  readonly password: string;
  /** The folder to remove in the end; undefined when the data are to stay. */
  readonly temporaryFolder: string | undefined;
  /** Removes the data if they were temporary; does nothing otherwise. */
  discard(): Promise<void>;
}

export interface ClusterOptions {
  /** Keeps the data in this folder; without it they are temporary. */
  readonly dir: string | undefined;
  readonly bin: string;
  readonly user: ServerUser | undefined;
}

/** Opens the data in a folder, or makes them when there are none yet. */
export async function openCluster({ dir, bin, user }: ClusterOptions): Promise<Cluster> {
  const home =
    dir === undefined ? await temporaryHome(user) : await persistentHome(resolve(dir), user);
  const dataDir = join(home, 'data');
  try {
    if (!(await exists(join(dataDir, 'PG_VERSION')))) {
      await initialise(dataDir, { bin, user, durable: dir !== undefined });
    }
    const password = (await readFile(join(dataDir, PASSWORD_FILE), 'utf8')).trim();
    const temporaryFolder = dir === undefined ? home : undefined;
    const discard = async () => {
      if (temporaryFolder !== undefined) await removeFolder(temporaryFolder);
    };
    return { dataDir, password, temporaryFolder, discard };
  } catch (error) {
    if (dir === undefined) await removeFolder(home);
    throw error;
  }
}

async function temporaryHome(user: ServerUser | undefined): Promise<string> {
  const parent = (await isReachable(tmpdir(), user)) ? tmpdir() : '/var/tmp';
  return ownedBy(user, await mkdtemp(join(parent, 'tidemill-postgres-')));
}

/**
 * The folder itself, or, when the server's user cannot get there, a link in it to one elsewhere. Whoever deletes the
 * folder deletes the link with it and starts afresh.
 */
async function persistentHome(dir: string, user: ServerUser | undefined): Promise<string> {
  await mkdir(dir, { recursive: true });
  const home = join(dir, 'postgres');
  if (await exists(home)) return realpath(home);
  if (await isReachable(dir, user)) {
    await mkdir(home, { recursive: true, mode: 0o700 });
    return ownedBy(user, home);
  }
  const elsewhere = await ownedBy(user, await mkdtemp('/var/tmp/tidemill-data-'));
  try {
    await symlink(elsewhere, home);
  } catch (error) {
    await rm(elsewhere, { recursive: true });
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return realpath(home); // Another process may have been first; its link holds.
}

/**
 * Makes the data beside their place and moves them there whole: two starts at once cannot mix their files, and a start
 * that was cut off leaves nothing that looks ready.
 */
async function initialise(
  dataDir: string,
  { bin, user, durable }: { bin: string; user: ServerUser | undefined; durable: boolean },
): Promise<void> {
  const parts = await ownedBy(user, await mkdtemp(`${dataDir}-`));
  try {
    const password = randomBytes(24).toString('base64url');
    const passwordFile = join(parts, PASSWORD_FILE);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await ownedBy(user, passwordFile);
    const fresh = join(parts, 'data');
    await initdb(fresh, { bin, user, durable, passwordFile });
    await rename(passwordFile, join(fresh, PASSWORD_FILE));
    await rename(fresh, dataDir);
  } catch (cause) {
    if (!(await exists(join(dataDir, 'PG_VERSION')))) throw cause;
  } finally {
    await removeFolder(parts);
  }
}

async function initdb(
  dataDir: string,
  options: { bin: string; user: ServerUser | undefined; durable: boolean; passwordFile: string },
): Promise<void> {
  const args = [
    `--pgdata=${dataDir}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${options.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--data-checksums',
    // Temporary data need not survive a power cut before their first commit.
    ...(options.durable ? [] : ['--no-sync']),
  ];
  try {
    await run(join(options.bin, 'initdb'), args, {
      cwd: dirname(dataDir),
      env: { LC_ALL: 'C' },
      timeout: INITDB_DEADLINE_MS,
      ...(options.user ?? {}),
    });
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim() ?? '';
    throw new DatabaseStartError(`initdb failed in ${dataDir}: ${said || String(cause)}`, {
      cause,
    });
  }
}

async function ownedBy(user: ServerUser | undefined, path: string): Promise<string> {
  if (user !== undefined) await chown(path, user.uid, user.gid);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
