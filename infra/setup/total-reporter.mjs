import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { figuresTable, totalLine } from './total.mjs';

/**
 * A vitest reporter that ends the run with one plain line, `N passed, N failed`. When a surrounding run adds up several
 * steps it names a file in TIDEMILL_TEST_TOTALS, which then gets the numbers instead, and what tests said that they counted: an
 * annotation whose type is a part of the test plan, such as T9.
 */
export default class TotalReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0, figures: [] };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        totals[countedAs(test.result().state)] += 1;
        totals.figures.push(...figuresOf(test));
      }
      // A file or suite that could not be loaded has no failed test to show for it.
      if (module.errors().length > 0) totals.failed += 1;
      for (const suite of module.children.allSuites())
        if (suite.errors().length > 0) totals.failed += 1;
    }
    const file = process.env.TIDEMILL_TEST_TOTALS;
    if (file) writeFileSync(file, JSON.stringify(totals));
    // Teardown may still print; only at the exit is the line sure to be the last one.
    else
      process.once('exit', () => {
        const lines = [...figuresTable([{ totals }]), totalLine(totals)];
        process.stdout.write(`${lines.join('\n')}\n`);
      });
  }
}

function countedAs(state) {
  if (state === 'passed') return 'passed';
  return state === 'skipped' ? 'skipped' : 'failed';
}

function figuresOf(test) {
  return test
    .annotations()
    .filter(({ type }) => /^T\d+$/.test(type))
    .map(({ type, message }) => ({ id: type, text: message }));
}
