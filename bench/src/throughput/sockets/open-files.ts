import { readFileSync } from 'node:fs';

/** Beside its sockets a process has files, pipes and connections to the database. */
const SPARE = 200;

/** How many files, sockets among them, a process of ours may open; Node raises its soft limit to this by itself. */
export function openFilesLimit(limits = readFileSync('/proc/self/limits', 'utf8')): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}

/** So many of the wanted sockets as a process may have here, and a sentence when they are fewer. */
export function affordableSockets(
  wanted: number,
  limit = openFilesLimit(),
): { readonly count: number; readonly remark: string | null } {
  if (wanted + SPARE <= limit) return { count: wanted, remark: null };
  const count = Math.max(0, limit - SPARE);
  return {
    count,
    remark: `a process may open ${limit} files here (ulimit -Hn), so ${count} sockets are measured and not ${wanted}`,
  };
}
