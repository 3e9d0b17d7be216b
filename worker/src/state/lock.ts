import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Another process holds the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

interface Holder {
  readonly pid: number;
  /** When the process started, as the kernel counts; null where that cannot be told. Process numbers are used again. */
  readonly started: string | null;
}

/**
 * Takes a lock file for the life of this process: two agents must not share a state folder or a key. A lock whose process is gone
 * is taken over. Returns what gives it back.
 *
 * @throws LockedError while its holder lives
 */
export function lock(path: string): () => void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const mine = `${path}.${process.pid}`;
  writeFileSync(
    mine,
    JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Holder),
    { mode: 0o600 },
  );
  try {
    if (!placed(mine, path)) {
      takeAside(path);
      if (!placed(mine, path)) throw new LockedError(`${path}: another agent was faster`);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => rmSync(path, { force: true });
}

/** A link is made whole or not at all, and never over another file. */
function placed(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock that was left behind. What was moved is looked at again: another agent may have replaced it in between. */
function takeAside(path: string): void {
  refuseIfAlive(path, path);
  const aside = `${path}.${process.pid}.old`;
  try {
    renameSync(path, aside);
  } catch (cause) {
    throw new LockedError(`${path}: another agent was faster`, { cause });
  }
  try {
    refuseIfAlive(aside, path);
  } catch (error) {
    placed(aside, path);
    throw error;
  } finally {
    unlinkSync(aside);
  }
}

function refuseIfAlive(file: string, path: string): void {
  const holder = holderOf(file);
  if (holder !== null && isAlive(holder))
    throw new LockedError(`${path}: in use by process ${holder.pid}`);
}

function holderOf(file: string): Holder | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('pid' in parsed)) return null;
    const started =
      'started' in parsed && typeof parsed.started === 'string' ? parsed.started : null;
    return Number.isInteger(parsed.pid) ? { pid: Number(parsed.pid), started } : null;
  } catch {
    return null;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return started === null || startOf(pid) === null || startOf(pid) === started;
}

/** Field 22 of /proc/<pid>/stat, counted behind the name, which may hold anything but ends with the last parenthesis. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
