import { expect, test } from 'vitest';
import { firstBroken, range, runSeeds } from './campaign.js';
import { narrowed } from './narrowing.js';
import { partsWith } from './planted-bugs.js';
import { scenarioOf } from './scenario.js';
import { shrink } from './shrink.js';
import { simulate } from './simulate.js';

test('no seed breaks a rule, and each goes the same way twice (G1 to G5, G9, G14, G15)', async () => {
  const { seeds, failed, diverged, faults } = await runSeeds(range(1, 20), partsWith(null), 2);
  expect({ seeds, failed, diverged }).toEqual({ seeds: 20, failed: [], diverged: [] });
  expect(faults).toBeGreaterThan(100);
});

test('a planted bug is found, and what is left of its seed still breaks the rule', async () => {
  const parts = partsWith('key-without-tenant');
  const found = await firstBroken(range(1, 200), parts);
  const rule = found?.violation?.name ?? '';
  expect(rule).not.toBe('');
  const scenario = scenarioOf(found?.seed ?? 0);
  const smallest = narrowed(scenario, await shrink(scenario, parts, rule));
  expect(smallest.jobs.length).toBeLessThanOrEqual(scenario.jobs.length);
  expect((await simulate(smallest, parts)).violation?.name).toBe(rule);
});
