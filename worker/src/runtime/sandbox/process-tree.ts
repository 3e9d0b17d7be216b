import { readFileSync, readdirSync } from 'node:fs';

/** What a process and everything below it uses now. */
export interface TreeUsage {
  readonly processes: number;
  readonly threads: number;
  readonly rssMib: number;
  /** CPU time of the living ones and of those of their children that have ended. */
  readonly cpuMs: number;
}

/** The kernel's unit of CPU time in /proc: a hundredth of a second on every Linux that Node runs on. */
const TICK_MS = 10;
const PAGE_KIB = 4;

/** Reads /proc; a process that ends meanwhile counts as nothing. */
export function treeUsage(root: number): TreeUsage {
  let processes = 0;
  let threads = 0;
  let rssKib = 0;
  let cpuMs = 0;
  for (const pid of descendants(root)) {
    const stat = readStat(pid);
    if (stat === null) continue;
    processes += 1;
    threads += stat.threads;
    rssKib += stat.rssPages * PAGE_KIB;
    cpuMs += stat.ticks * TICK_MS;
  }
  return { processes, threads, rssMib: Math.ceil(rssKib / 1024), cpuMs };
}

function readStat(
  pid: number,
): { parent: number; threads: number; rssPages: number; ticks: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the name in brackets may hold anything, so fields are counted from the last bracket
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (field: number) => fields[field - 3] ?? 0;
    return {
      parent: at(4),
      threads: at(20),
      rssPages: at(24),
      ticks: at(14) + at(15) + at(16) + at(17),
    };
  } catch {
    return null; // it has ended
  }
}

/** Ends a process that leads its group, its whole group, and everything below it in whatever group it is by now. */
export function killTree(root: number): void {
  const all = descendants(root);
  for (const target of [-root, ...all]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = readStat(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}
