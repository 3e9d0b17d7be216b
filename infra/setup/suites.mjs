import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { nodeModules, root } from './paths.mjs';

const SEEDS = { usual: 10_000, long: 1_000_000 };

/**
 * Runs vitest in front of the person and returns a row with what its reporter counted.
 * @param {string} name
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function runSuites(name, args, env = {}) {
  const vitest = join(nodeModules, 'vitest', 'vitest.mjs');
  return runCounted(name, (totals) => ({
    command: [vitest, 'run', ...args],
    env: { ...process.env, ...env, TIDEMILL_TEST_TOTALS: totals },
  }));
}

/**
 * Runs the simulation's seeds and the search for its planted bugs on both cores, in front of the person.
 * @param {{ isLong: boolean }} options
 */
export function runSimulation({ isLong }) {
  const main = join(root, 'orchestrator', 'dist', 'sim', 'main.js');
  const seeds = `--seeds=1-${isLong ? SEEDS.long : SEEDS.usual}`;
  return runCounted('simulation', (totals) => ({
    command: [main, seeds, '--with-bugs', '--totals', totals],
    env: process.env,
  }));
}

/** Runs a program that writes what it counted to a file, whose name `commandFor` is given. */
async function runCounted(name, commandFor) {
  const start = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'tidemill-totals-'));
  const file = join(folder, 'totals.json');
  try {
    const { command, env } = commandFor(file);
    const running = spawn(process.execPath, command, { cwd: root, env, stdio: 'inherit' });
    const [code] = await once(running, 'exit');
    return { name, ms: performance.now() - start, totals: totalsOf(file, code) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that broke off, or that ended badly for a reason of its own, counts as one failure. */
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
