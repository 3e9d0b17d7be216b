import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.mjs';

const POLL_MS = 250;

/**
 * Does some work while no other process does work under the same lock file; waits for one that does. A file whose
 * process has ended, or whose pid now belongs to another process, counts for nothing.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {number} [deadlineMs] how long to wait for another process
 * @returns {Promise<T>}
 */
export async function whileLocked(file, work, deadlineMs = 30 * 60_000) {
  mkdirSync(dirname(file), { recursive: true });
  const deadline = performance.now() + deadlineMs;
  let told = false;
  while (!take(file)) {
    const holder = readHolder(file);
    if (holder === undefined) continue; // Released between the two looks.
    if (!isAlive(holder)) {
      removeStale(file, holder);
      continue;
    }
    if (performance.now() > deadline) throw new Error(`process ${holder.pid} still holds ${file}`);
    if (!told)
      say(
        `set-up: another set-up of this checkout is at work (process ${holder.pid}); waiting for it`,
      );
    told = true;
    await sleep(POLL_MS);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Takes the lock if it is free. The file appears with its content in it, never empty. */
function take(file) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return startOf(pid) === started;
}

/** When a process began, in the kernel's own count; undefined once it has ended, null where the kernel does not say. */
function startOf(pid) {
  if (process.platform !== 'linux') return null;
  try {
    const [state, ...rest] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z' ? undefined : rest[18];
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Two processes may find the same stale file: what is moved away must still be it, or it goes back. */
function removeStale(file, holder) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return; // The other one was quicker.
    throw error;
  }
  const moved = readHolder(aside);
  if (moved.pid !== holder.pid || moved.started !== holder.started) linkSync(aside, file);
  rmSync(aside);
}
