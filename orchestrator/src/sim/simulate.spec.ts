import { expect, test } from 'vitest';
import { firstBroken, range, runSeeds } from './campaign.js';
import { narrowed } from './narrowing.js';
import { PLANTED_BUGS, partsWith } from './planted-bugs.js';
import { scenarioOf } from './scenario.js';
import { shrink } from './shrink.js';
import { simulate } from './simulate.js';

test('no seed breaks a rule, and each goes the same way twice (G1 to G5, G9, G14, G15)', async () => {
  const { seeds, failed, diverged, faults } = await runSeeds(range(1, 40), partsWith(null), 4);
  expect({ seeds, failed, diverged }).toEqual({ seeds: 40, failed: [], diverged: [] });
  expect(faults).toBeGreaterThan(100);
});

/** Those that the first seeds find; `npm test` and `npm run simulate -- --bugs` look for all of them. */
const SOON = [
  'audit-drawn-before-commitment',
  'sweep-uses-local-clock',
  'task-leased-twice',
  'acknowledged-before-commit',
  'key-forgotten',
  'event-outside-transaction',
  'receipt-untold',
  'accrual-key-without-role',
  'double-charge',
  'window-beyond-open-transactions',
  'cursor-outside-transaction',
];

test.each(PLANTED_BUGS.filter(({ name }) => SOON.includes(name)))(
  '$name is found by the rule that it breaks: $rule',
  async ({ name, rule }) => {
    const found = await firstBroken(range(1, 20), partsWith(name));
    expect(found?.violation?.name).toBe(rule);
  },
);

test('a planted bug is found, and what is left of its seed still breaks the rule', async () => {
  const parts = partsWith('key-without-tenant');
  const found = await firstBroken(range(1, 200), parts);
  const rule = found?.violation?.name ?? '';
  expect(rule).not.toBe('');
  const scenario = scenarioOf(found?.seed ?? 0);
  const smallest = narrowed(scenario, await shrink(scenario, parts, rule));
  // Two that use one key are all it takes.
  expect(smallest.jobs.length).toBeLessThanOrEqual(2);
  expect((await simulate(smallest, parts)).violation?.name).toBe(rule);
});
