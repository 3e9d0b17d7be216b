import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '@tidemill/localnet';
import pg from 'pg';

/** What belongs to a running server only, and what its successor makes anew. */
const NOT_COPIED = ['postmaster.pid', 'postmaster.opts', 'pg_wal', 'server.log'];

/**
 * Copies the data of a running server, as `pg_basebackup --wal-method=fetch` does: the package of the tests has only the server itself.
 * What is committed before it begins is in the copy.
 */
export async function copyDatabase(database: Database, to: string): Promise<void> {
  const from = database.dir ?? '';
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  try {
    await client.query(`SELECT pg_backup_start('copy', true)`);
    const names = (await readdir(from)).filter((name) => !NOT_COPIED.includes(name));
    for (const name of names)
      await cp(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true });
    const { rows } = await client.query<{ labelfile: string }>(
      'SELECT labelfile FROM pg_backup_stop(false)',
    );
    await writeFile(join(to, 'backup_label'), rows[0]?.labelfile ?? '');
    // Last: the changes that were made during the copy are in the log.
    await cp(join(from, 'pg_wal'), join(to, 'pg_wal'), { recursive: true });
  } finally {
    await client.end();
  }
}

/** Puts a copy where a server expects its data, which are gone. */
export async function restoreDatabase(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true, preserveTimestamps: true });
}
