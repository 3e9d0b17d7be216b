import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports process times in hundredths of a second to programs, whatever the kernel's own clock does (USER_HZ). */
const TICKS_PER_SECOND = 100;
/** Processes that come and go between two looks make a scan unsteady; after so many scans the last one is taken. */
const MAX_SCANS = 5;

/** What `/proc/<pid>/stat` says of one process that matters here. Times are in ticks. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all its threads, ended ones included. */
  readonly own: number;
  /** User and system time of the children it has waited for, and of those they had waited for. */
  readonly reaped: number;
}

/** Reads one line of `/proc/<pid>/stat`. The name stands in parentheses and may itself hold spaces and parentheses. */
export function parseStat(line: string): ProcessTimes {
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent, user, system, reapedUser, reapedSystem] = [1, 11, 12, 13, 14].map(
    (i) => fields[i],
  );
  const own = Number(user) + Number(system);
  const reaped = Number(reapedUser) + Number(reapedSystem);
  return { pid: Number.parseInt(line, 10), parent: Number(parent), own, reaped };
}

/**
 * CPU seconds, user and system, that a process and everything it started have used so far: its threads, its living
 * descendants, and the ended ones that were waited for. Exact to 10 ms. For a PostgreSQL server's first process this
 * is the whole server with the backends that are gone. @throws Error when there is no such process
 */
export function cpuSeconds(root: number): number {
  let members = tree(root);
  for (let scan = 1; scan < MAX_SCANS; scan += 1) {
    const again = tree(root);
    // A child that ends between the reading of its times and of its parent's would count twice or not at all.
    const steady = sameProcesses(members, again);
    members = again;
    if (steady) break;
  }
  if (members.length === 0) throw new Error(`there is no process ${root}`);
  return members.reduce((sum, { own, reaped }) => sum + own + reaped, 0) / TICKS_PER_SECOND;
}

/** Memory of a process that lies in RAM, in MiB; its children are not counted. */
export function residentMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

function tree(root: number): ProcessTimes[] {
  const all = allProcesses();
  const members = all.filter(({ pid }) => pid === root);
  for (const member of members) members.push(...all.filter(({ parent }) => parent === member.pid));
  return members;
}

function allProcesses(): ProcessTimes[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))];
      } catch {
        return []; // It ended since the folder was listed.
      }
    });
}

function sameProcesses(a: readonly ProcessTimes[], b: readonly ProcessTimes[]): boolean {
  const pids = new Set(a.map(({ pid }) => pid));
  return a.length === b.length && b.every(({ pid }) => pids.has(pid));
}
