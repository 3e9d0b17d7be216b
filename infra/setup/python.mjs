import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, runCommand } from './command.mjs';
import { root } from './paths.mjs';
import { during, say } from './say.mjs';

const VENV_DEADLINE_MS = 2 * 60_000;
const INSTALL_DEADLINE_MS = 5 * 60_000;
const folder = join(root, '.tidemill', 'python');
/** Written last: what it says is what is installed, or why nothing could be. */
const verdictFile = join(folder, 'verdict.json');
const requirementsFile = new URL('python/requirements.txt', import.meta.url);
const INSTALL = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];

/**
 * Sees to a Python with the packages of the examples and of the Python client, for the tests that run them. Returns why there is
 * none, or null. What could not be had is tried again only when `again` asks for it.
 */
export async function ensurePython({ again = false } = {}) {
  const wanted = readFileSync(requirementsFile, 'utf8');
  const known = readVerdict();
  if (known?.wanted === wanted && (known.fault === null || !again)) return known.fault;
  const fault = await provide();
  mkdirSync(folder, { recursive: true });
  writeFileSync(verdictFile, JSON.stringify({ wanted, fault }));
  return fault;
}

async function provide() {
  const python = findProgram('python3');
  if (python === undefined) return 'python3 is not installed';
  try {
    rmSync(folder, { recursive: true, force: true });
    await during('setting up Python for the examples in that language', async () => {
      await runCommand(python, ['-m', 'venv', folder], { deadlineMs: VENV_DEADLINE_MS });
      await runCommand(
        join(folder, 'bin', 'python'),
        [...INSTALL, '-r', requirementsFile.pathname],
        {
          deadlineMs: INSTALL_DEADLINE_MS,
        },
      );
    });
    return null;
  } catch (error) {
    say(`set-up:   not this way: ${error.message.split('\n').slice(0, 3).join(' ')}`);
    return error.message.split('\n')[0];
  }
}

function readVerdict() {
  if (!existsSync(verdictFile)) return undefined;
  try {
    return JSON.parse(readFileSync(verdictFile, 'utf8'));
  } catch {
    return undefined; // Cut off while it was written.
  }
}
