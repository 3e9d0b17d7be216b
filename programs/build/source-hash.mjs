import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** SHA-256 over names and contents of a crate's sources: what a build was made from. */
export function sourceHash(crate) {
  const hash = createHash('sha256');
  for (const path of sourcesOf(join(crate, 'src'))) {
    const name = relative(crate, path).split(sep).join('/');
    hash.update(`${name}\n`).update(readFileSync(path)).update('\n');
  }
  return hash.digest('hex');
}

function sourcesOf(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  const all = entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sourcesOf(path) : [path];
  });
  return all.sort((a, b) => (a < b ? -1 : 1));
}
