import { defineConfig } from 'vitest/config';

const workspaces =
  '{protocol,core,orchestrator,worker,client,programs/client,infra/localnet,bench}';
const database = 'infra/localnet/src/testing/database.setup.ts';

// Workspaces are read from their sources, so tests need no build. Vitest hands these conditions to Node as well:
// adding `import` here would load a second, broken copy of packages such as `pg`.
const fromSource = {
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
};

// `npm run test:long` runs the same suites at their large figures, before a release.
const patience = process.env['TIDEMILL_TEST_LONG'] === '1' ? 40 : 1;

/** What measures times, or fills the machine by itself. */
const alone = [
  'e2e/faults/**/*.e2e.ts',
  'e2e/api-fuzzing.e2e.ts',
  'e2e/demo.e2e.ts',
  'e2e/hostile-sockets.e2e.ts',
];
const notTests = ['**/node_modules/**', '**/dist/**'];

/** Suites of real processes, whose deadlines would measure each other if many ran at once. */
const processes = {
  globalSetup: [database],
  testTimeout: patience * 300_000,
  hookTimeout: patience * 300_000,
};

export default defineConfig({
  test: {
    reporters: ['default', './infra/setup/total-reporter.mjs'],
    projects: [
      {
        ...fromSource,
        test: {
          name: 'unit',
          include: [
            `${workspaces}/src/**/*.spec.ts`,
            'protocol/node/**/*.spec.ts',
            'infra/setup/**/*.spec.mjs',
          ],
          exclude: ['**/*.db.spec.ts', ...notTests],
          testTimeout: patience * 30_000,
          hookTimeout: patience * 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...fromSource,
        test: {
          name: 'db',
          include: [`${workspaces}/src/**/*.db.spec.ts`],
          globalSetup: [database],
          testTimeout: patience * 60_000,
          hookTimeout: patience * 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...fromSource,
        test: {
          ...processes,
          name: 'e2e',
          include: ['e2e/**/*.e2e.ts'],
          exclude: [...notTests, ...alone],
          // They wait more than they work, for leases to end and processes to start.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...fromSource,
        test: {
          ...processes,
          name: 'e2e-alone',
          include: alone,
          exclude: notTests,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
