import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { runCommand } from './command.mjs';
import { nodeModules, root } from './paths.mjs';

const BUILD_DEADLINE_MS = 10 * 60_000;

/** Compiles all workspaces; a second call compiles only what changed. Throws with the compiler's words. */
export async function build() {
  const compiler = join(nodeModules, 'typescript', 'bin', 'tsc');
  await runCommand(process.execPath, [compiler, '-b'], {
    deadlineMs: BUILD_DEADLINE_MS,
    cwd: root,
  });
}

/**
 * Goes on as another program in this process, so that signals, the terminal and the exit status are the program's own
 * and no parent has to pass them on.
 * @param {string} file a built file, from the root of the checkout
 * @param {readonly string[]} args
 */
export async function becomeProgram(file, args) {
  const path = join(root, file);
  if (!existsSync(path)) throw new Error(`the build made no ${file}`);
  process.argv = [process.execPath, path, ...args];
  await import(pathToFileURL(path).href);
}
