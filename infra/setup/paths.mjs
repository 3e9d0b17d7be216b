import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The folder of this checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What npm installs. */
export const nodeModules = join(root, 'node_modules');

/** What the set-up found out about this checkout; the worker reads it too. Goes with node_modules, as it should. */
export const stateFolder = join(nodeModules, '.tidemill');

/** What is kept from one checkout to the next on this machine. */
export function cacheFolder(env = process.env) {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tidemill');
}
