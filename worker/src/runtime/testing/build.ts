import { execFile } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerFolder } from '../tfjs/code-mounts.js';

const DEADLINE_MS = 120_000;

/**
 * Brings `worker/dist` up to date, since a confined child runs built code. Only one test process builds at a time; when nothing
 * has changed it takes about a second.
 */
export async function buildWorker(): Promise<string> {
  const worker = workerFolder();
  mkdirSync(join(worker, 'dist'), { recursive: true });
  const lock = join(worker, 'dist/.building');
  const untilMs = Date.now() + DEADLINE_MS;
  while (!takeLock(lock)) {
    if (Date.now() > untilMs)
      throw new Error(`${lock} has been held for too long; remove it if nobody builds`);
    await sleep(200);
  }
  try {
    await compile(worker);
  } finally {
    rmdirSync(lock);
  }
  return worker;
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return removeStale(lock);
  }
}

/** A test that was killed leaves its lock. Returns false: the next try takes it. */
function removeStale(lock: string): false {
  const found = statSync(lock, { throwIfNoEntry: false });
  if (found !== undefined && Date.now() - found.mtimeMs > DEADLINE_MS) rmdirSync(lock);
  return false;
}

function compile(worker: string): Promise<void> {
  const require = createRequire(import.meta.url);
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [compiler, '-b', worker],
      { timeout: DEADLINE_MS },
      (error, output) => {
        // type errors elsewhere in the worker do not keep code from being written, and are reported by their own check
        const entry = statSync(join(worker, 'dist/runtime/tfjs/child/main.js'), {
          throwIfNoEntry: false,
        });
        if (entry === undefined)
          reject(new Error(`the worker does not build: ${output}`, { cause: error }));
        else resolve();
      },
    );
  });
}
