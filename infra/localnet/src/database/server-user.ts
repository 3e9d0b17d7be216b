import { execFileSync } from 'node:child_process';
import { DatabaseStartError } from './errors.js';

/** The user that the server runs as instead of root. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Under root this names an existing user for it, never making a new one; for
 * everybody else it is undefined and the server runs as the caller.
 */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf(name, '-u');
    const gid = idOf(name, '-g');
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new DatabaseStartError(
    'PostgreSQL does not run as root and this machine has neither a user "postgres" nor "nobody": run as another user',
  );
}

function idOf(name: string, which: '-u' | '-g'): number | undefined {
  try {
    return Number(
      execFileSync('id', [which, name], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 5_000,
      }),
    );
  } catch {
    return undefined; // `id` says with its exit status that there is no such user.
  }
}
