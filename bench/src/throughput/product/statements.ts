import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { query } from '../bench-server.js';

const SHOWN = 60;

/**
 * Counts the statements of one database from now on, on a server that was started with pg_stat_statements; `write` puts those that
 * took longest into a file. Times are wall time in milliseconds, planning and execution apart.
 */
export async function startStatementCount(
  databaseUrl: string,
): Promise<{ write(folder: string): Promise<void> }> {
  await query(databaseUrl, 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await query(databaseUrl, 'SELECT pg_stat_statements_reset()');
  return {
    write: async (folder) => {
      const rows = await query(databaseUrl, SLOWEST, [SHOWN]);
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `statements-${Date.now()}.json`);
      writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
    },
  };
}

const SLOWEST = `
SELECT calls::int, rows::int, round(total_plan_time)::int AS plan_ms, round(total_exec_time)::int AS exec_ms,
  round((wal_bytes / 1024)::numeric)::int AS wal_kib, shared_blks_hit::int AS blocks_hit, regexp_replace(query, '\\s+', ' ', 'g') AS query
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY total_plan_time + total_exec_time DESC
LIMIT $1`;
