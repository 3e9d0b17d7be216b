import { expect, test } from 'vitest';
import { perJob } from './per-job.js';

const table = (name: string, rows: number, heapBytes: number, key: number) => ({
  table: name,
  rows,
  heapBytes,
  indexes: { [`${name}_pkey`]: key },
});

test('what was there before is not charged to the jobs, and what did not grow is left out', () => {
  const before = [table('jobs', 100, 8_192, 8_192), table('accounts', 3, 8_192, 16_384)];
  const after = [
    table('jobs', 1_100, 808_192, 108_192),
    table('tasks', 1_000, 500_000, 50_000),
    table('accounts', 3, 8_192, 16_384),
  ];
  expect(perJob(before, after, 1_000)).toEqual({
    bytes: 1_450,
    tables: [
      { table: 'jobs', rows: 1, bytes: 900, heap: 800, indexes: { jobs_pkey: 100 } },
      { table: 'tasks', rows: 1, bytes: 550, heap: 500, indexes: { tasks_pkey: 50 } },
    ],
  });
});
