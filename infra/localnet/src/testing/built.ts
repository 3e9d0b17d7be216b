import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Builds this workspace and returns the URL of its door, for tests that must run it in a plain Node process of its own
 * (to kill that process). Takes about a second when the build is up to date.
 */
export async function builtDoor(): Promise<string> {
  const workspace = fileURLToPath(new URL('../..', import.meta.url));
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [compiler, '-b', workspace], { timeout: 120_000 });
  return new URL('../../dist/index.js', import.meta.url).href;
}
