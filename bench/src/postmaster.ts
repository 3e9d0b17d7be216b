import { readFileSync } from 'node:fs';
import pg from 'pg';
import { parseStat } from './cpu.js';

/**
 * The first process of the PostgreSQL server behind a URL: the parent of the one that serves us.
 * @throws Error when the server does not run on this machine, where its CPU time cannot be read
 */
export async function postmasterOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const backend = rows[0]?.pid ?? 0;
    return parseStat(readStat(backend)).parent;
  } finally {
    await client.end();
  }
}

function readStat(pid: number): string {
  const line = readLine(`/proc/${pid}/stat`);
  if (!/^\d+ \(postgres/.test(line)) {
    throw new Error(
      'the database server does not run on this machine, so its CPU time cannot be read',
    );
  }
  return line;
}

function readLine(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // No such process here; the caller says what that means.
  }
}
