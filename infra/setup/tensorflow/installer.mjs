import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { runCommand } from '../command.mjs';
import { nodeModules } from '../paths.mjs';
import { packageFolder } from './addon.mjs';

/** Long enough for a quick network; a slow or closed one must not hold up the other ways. */
const INSTALLER_DEADLINE_MS = 90_000;

/** Runs the installer that the package brings, which downloads the TensorFlow library and a ready addon. */
export async function runPackageInstaller() {
  const manifest = join(packageFolder, 'package.json');
  const before = readFileSync(manifest);
  try {
    await runCommand(process.execPath, ['scripts/install.js'], {
      deadlineMs: INSTALLER_DEADLINE_MS,
      cwd: packageFolder,
      env: { ...process.env, PATH: [join(nodeModules, '.bin'), process.env.PATH].join(delimiter) },
    });
  } catch (cause) {
    const [, reason] = /^Error: (.+)$/m.exec(cause.output ?? '') ?? [
      undefined,
      cause.message.split('\n')[0],
    ];
    throw new Error(`its download did not succeed: ${reason}`, { cause });
  } finally {
    writeFileSync(manifest, before); // The installer edits it, and leaves it edited when it is cut off.
  }
}
