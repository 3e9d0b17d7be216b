import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lock, LockedError } from './lock.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemill-lock-'));
  path = join(folder, 'agent.lock');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('is held by one at a time and can be taken again', () => {
  const unlock = lock(path);
  expect(() => lock(path)).toThrow(LockedError);
  unlock();
  lock(path)();
  expect(readdirSync(folder)).toEqual([]);
});

test('names its process', () => {
  const unlock = lock(path);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  unlock();
});

test('of a process that is gone is taken over', () => {
  const { pid } = spawnSync(process.execPath, ['-e', ''], { timeout: 10_000 });
  writeFileSync(path, JSON.stringify({ pid, started: '1' }));
  lock(path)();
  expect(readdirSync(folder)).toEqual([]);
});

test('of an earlier process with a number that lives again is taken over', () => {
  writeFileSync(path, JSON.stringify({ pid: process.pid, started: 'long ago' }));
  lock(path)();
});

test('of a living stranger stays', () => {
  const text = JSON.stringify({ pid: 1, started: null });
  writeFileSync(path, text);
  expect(() => lock(path)).toThrow(/in use by process 1/);
  expect(readFileSync(path, 'utf8')).toBe(text);
  expect(readdirSync(folder)).toEqual(['agent.lock']);
});

test('that cannot be read was left by nobody who lives', () => {
  writeFileSync(path, 'half a li');
  lock(path)();
});
