import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { runCommand } from './command.mjs';
import { nodeModules, root } from './paths.mjs';
import { during } from './say.mjs';

const INSTALL_DEADLINE_MS = 15 * 60_000;

/** Installs the npm packages of package-lock.json unless exactly those are there. No script of theirs is run. */
export async function ensureNpmPackages() {
  const wanted = readLock(join(root, 'package-lock.json'));
  // npm writes this file last, so an installation that was cut off does not have it.
  const installed = readLock(join(nodeModules, '.package-lock.json'));
  if (wanted !== undefined && installed !== undefined && isSatisfied(wanted, installed)) return;
  await during('installing the npm packages of package-lock.json', () =>
    runCommand(...npm(), { deadlineMs: INSTALL_DEADLINE_MS, cwd: root }),
  );
}

/** Whether every package that is wanted is installed in the wanted version. Optional ones fit only some machines. */
export function isSatisfied(wanted, installed) {
  return Object.entries(wanted.packages).every(([path, { version, optional, link }]) => {
    if (!path.includes('node_modules/') || optional) return true;
    const found = installed.packages[path];
    return found !== undefined && (link || found.version === version);
  });
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The npm that runs this script, or else the one on the PATH. */
function npm() {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const running = process.env.npm_execpath;
  return running?.endsWith('npm-cli.js') ? [process.execPath, [running, ...args]] : ['npm', args];
}
