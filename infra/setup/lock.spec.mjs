import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { whileLocked } from './lock.mjs';

let folder;
let file;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemill-lock-'));
  file = join(folder, 'set-up.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Another process that takes the lock, tells so, works for a while and notes when it began and ended. */
function worker(name, workMs) {
  const code = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { whileLocked } from ${JSON.stringify(new URL('lock.mjs', import.meta.url).href)};
    await whileLocked(${JSON.stringify(file)}, async () => {
      appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'begin ${name}\\n');
      console.log('locked');
      await sleep(${workMs});
      appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'end ${name}\\n');
    });`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('the work is done, its result handed on, and the lock released', async () => {
  expect(await whileLocked(file, async () => existsSync(file))).toBe(true);
  expect(existsSync(file)).toBe(false);
});

test('the lock is released when the work fails', async () => {
  const failing = whileLocked(file, async () => {
    throw new Error('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  expect(existsSync(file)).toBe(false);
});

test('several processes at once work one after the other', async () => {
  const workers = ['a', 'b', 'c'].map((name) => worker(name, 100));
  await Promise.all(workers.map((each) => once(each, 'exit')));
  const lines = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
  expect(lines).toHaveLength(6);
  for (let i = 0; i < lines.length; i += 2) {
    expect(lines[i + 1]).toBe(lines[i].replace('begin', 'end'));
  }
});

test('the lock of a process that was killed counts for nothing', async () => {
  const killed = worker('killed', 60_000);
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(existsSync(file)).toBe(true);
  expect(await whileLocked(file, async () => 'taken over', 5_000)).toBe('taken over');
});

test('a pid that another process has since got counts for nothing', async () => {
  writeFileSync(file, JSON.stringify({ pid: process.pid, started: 'some time else' }));
  expect(await whileLocked(file, async () => 'taken over', 5_000)).toBe('taken over');
});

test('whoever waits too long is told who holds the lock', async () => {
  const holder = worker('holder', 60_000);
  await once(holder.stdout, 'data');
  await expect(whileLocked(file, async () => {}, 300)).rejects.toThrow(
    `process ${holder.pid} still holds`,
  );
  holder.kill('SIGKILL');
  await once(holder, 'exit');
});
