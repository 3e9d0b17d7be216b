import { join } from 'node:path';
import process from 'node:process';
import { runCommand } from './command.mjs';
import { nodeModules, root } from './paths.mjs';
import { say } from './say.mjs';

const CHECK_DEADLINE_MS = 10 * 60_000;

/** Two cores are what the smallest machine has; more at once would only need more memory. */
const AT_ONCE = 2;

/** The checks that read the code without running it, the long ones first, each with a program that npm installed. */
const CHECKS = [
  { name: 'lint', program: ['eslint', 'bin/eslint.js'], args: ['--max-warnings', '0', '.'] },
  { name: 'types', program: ['typescript', 'bin/tsc'], args: ['-b'] },
  { name: 'layers', program: ['dependency-cruiser', 'bin/dependency-cruise.mjs'], args: ['.'] },
  { name: 'unused code', program: ['knip', 'bin/knip.js'], args: [] },
  {
    name: 'format',
    program: ['prettier', 'bin/prettier.cjs'],
    args: ['--check', '--log-level', 'warn', '.'],
  },
];

/** Runs all of them and returns a row for each, in a fixed order; the words of those that fail are printed. */
export async function runStaticChecks() {
  const waiting = [...CHECKS];
  const rows = new Map();
  const runNext = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      rows.set(check, await runCheck(check));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runNext));
  return CHECKS.map((check) => rows.get(check));
}

async function runCheck({ name, program, args }) {
  const start = performance.now();
  const row = (totals) => ({
    name,
    ms: performance.now() - start,
    totals: { skipped: 0, ...totals },
  });
  try {
    const command = [join(nodeModules, ...program), ...args];
    await runCommand(process.execPath, command, { deadlineMs: CHECK_DEADLINE_MS, cwd: root });
    say(`check: ${name} ok`);
    return row({ passed: 1, failed: 0 });
  } catch (error) {
    say(`check: ${name} FAILED\n${error.output ?? error.message}`);
    return row({ passed: 0, failed: 1 });
  }
}
