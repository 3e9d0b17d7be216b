import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { nodeModules, root } from './paths.mjs';

/**
 * Runs vitest in front of the person and returns a row with what its reporter counted.
 * @param {string} name
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function runSuites(name, args, env = {}) {
  const start = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'tidemill-totals-'));
  const file = join(folder, 'totals.json');
  try {
    const vitest = spawn(
      process.execPath,
      [join(nodeModules, 'vitest', 'vitest.mjs'), 'run', ...args],
      {
        cwd: root,
        env: { ...process.env, ...env, TIDEMILL_TEST_TOTALS: file },
        stdio: 'inherit',
      },
    );
    const [code] = await once(vitest, 'exit');
    return { name, ms: performance.now() - start, totals: totalsOf(file, code) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that broke off, or that vitest calls failed for a reason of its own, counts as one failure. */
function totalsOf(file, code) {
  const totals = readTotals(file);
  return code !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals;
}

function readTotals(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return { passed: 0, failed: 1, skipped: 0 };
    throw error;
  }
}
