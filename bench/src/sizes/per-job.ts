import type { TableSize } from './relation-sizes.js';

/** What one more job adds, in bytes. */
export interface PerJob {
  readonly bytes: number;
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly heap: number;
    readonly indexes: Readonly<Record<string, number>>;
  }[];
}

/** The difference between a network before and after `jobs` jobs, a job; tables that did not grow are left out. */
export function perJob(
  before: readonly TableSize[],
  after: readonly TableSize[],
  jobs: number,
): PerJob {
  const earlier = new Map(before.map((table) => [table.table, table]));
  const tables = after
    .map((now) => {
      const was = earlier.get(now.table);
      const indexes = Object.fromEntries(
        Object.entries(now.indexes).map(([name, bytes]) => [
          name,
          Math.round((bytes - (was?.indexes[name] ?? 0)) / jobs),
        ]),
      );
      const heap = Math.round((now.heapBytes - (was?.heapBytes ?? 0)) / jobs);
      const bytes = Object.values(indexes).reduce((sum, one) => sum + one, heap);
      const rows = Math.round(((now.rows - (was?.rows ?? 0)) / jobs) * 100) / 100;
      return { table: now.table, rows, bytes, heap, indexes };
    })
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
  return { bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0), tables };
}
