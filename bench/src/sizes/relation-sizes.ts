import { query } from '../throughput/bench-server.js';

/** What one table takes on disk: its rows, its long values, and each of its indexes, in bytes. */
export interface TableSize {
  readonly table: string;
  readonly rows: number;
  readonly heapBytes: number;
  readonly indexes: Readonly<Record<string, number>>;
}

/** Every table of the network's schema, partitions counted with the table they belong to, the largest first. */
export async function relationSizes(databaseUrl: string): Promise<TableSize[]> {
  // Rows that were changed leave room that later ones use: without this it would be counted as theirs.
  await query(databaseUrl, 'VACUUM (ANALYZE)');
  const rows = await query(databaseUrl, SIZES);
  return rows.map((row) => ({
    table: String(row['name']),
    rows: Math.max(0, Number(row['rows'])),
    heapBytes: Number(row['heap']),
    indexes: Object.fromEntries(
      Object.entries((row['indexes'] ?? {}) as Record<string, string>).map(([name, bytes]) => [
        name,
        Number(bytes),
      ]),
    ),
  }));
}

const SIZES = `
WITH part AS (
  SELECT coalesce(tree.inhparent, class.oid) AS root, class.oid, class.reltuples
  FROM pg_class AS class LEFT JOIN pg_inherits AS tree ON tree.inhrelid = class.oid
  WHERE class.relkind = 'r' AND class.relnamespace = 'public'::regnamespace
)
SELECT root::regclass::text AS name, sum(reltuples)::bigint AS rows, sum(pg_table_size(part.oid))::bigint AS heap, (
  SELECT json_object_agg(index.indexrelid::regclass::text, pg_relation_size(index.indexrelid))
  FROM pg_index AS index JOIN part AS of_root ON of_root.oid = index.indrelid WHERE of_root.root = part.root
) AS indexes
FROM part GROUP BY root ORDER BY sum(pg_total_relation_size(part.oid)) DESC, 1`;
