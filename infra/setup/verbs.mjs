import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { becomeProgram, build } from './build.mjs';
import { root } from './paths.mjs';
import { during, say } from './say.mjs';
import { setUp } from './setup.mjs';
import { runStaticChecks } from './static-checks.mjs';
import { runSimulation, runSuites } from './suites.mjs';
import { figuresTable, sumOf, timeTable, totalLine } from './total.mjs';

const CLI = 'client/dist/cli/main.js';

/** What each npm script does, and the tidemill command of the checkout; their arguments are passed on. */
const VERBS = {
  demo: (args) => runProgram('e2e/dist/demo/main.js', args),
  dev: (args) => runProgram(CLI, ['up', ...args]),
  // A build that is there is used as it is: a command must not wait for the compiler, nor say what a script would read.
  cli: (args) => (existsSync(join(root, CLI)) ? becomeProgram(CLI, args) : runProgram(CLI, args)),
  'bench:throughput': (args) => runProgram('bench/dist/throughput/main.js', args),
  'bench:sizes': (args) => runProgram('bench/dist/sizes/main.js', args),
  'bench:settlement': (args) => runProgram('bench/dist/settlement/main.js', args),
  check: (args) => runTests('unit tests', ['--project', 'unit', ...args]),
  test: (args) => runTests('all tests', args),
  'test:long': (args) => runTests('all tests, long', args, { TIDEMILL_TEST_LONG: '1' }),
};

/** Does one of them, and says what went wrong in plain words. Sets the exit status. */
export async function runVerb(name, args) {
  const verb = Object.hasOwn(VERBS, name ?? '') ? VERBS[name] : undefined;
  if (verb === undefined) {
    say(`usage: node infra/setup/run.mjs ${Object.keys(VERBS).join(' | ')} [arguments]`);
    process.exitCode = 2;
    return;
  }
  await verb(args);
}

async function runProgram(file, args) {
  try {
    await setUp({ then: () => during('building', build) });
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
    return;
  }
  await becomeProgram(file, args);
}

/** Checks first, they are quick; the tests run anyway, so that one run shows everything that is wrong. */
async function runTests(suites, args, env) {
  const rows = [];
  try {
    await setUp();
    rows.push(...(await runStaticChecks()));
    // Whoever names some of the suites wants those.
    if (args.length === 0)
      rows.push(await runSimulation({ isLong: env?.TIDEMILL_TEST_LONG === '1' }));
    rows.push(await runSuites(suites, args, env));
  } catch (error) {
    say(error.message);
    rows.push({ name: 'set-up', ms: 0, totals: { passed: 0, failed: 1, skipped: 0 } });
  }
  const total = sumOf(rows);
  say(['', ...figuresTable(rows), '', ...timeTable(rows), '', totalLine(total)].join('\n'));
  process.exitCode = total.failed === 0 ? 0 : 1;
}
