import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isReachable } from './reachable.js';

const top = mkdtempSync(join(tmpdir(), 'tidemill-reachable-'));
const inner = join(top, 'inner');
mkdirSync(inner, { mode: 0o755 });
afterAll(() => rmSync(top, { recursive: true, force: true }));

const { uid, gid } = statSync(top);
const stranger = { uid: uid + 1, gid: gid + 1 };

test('the caller reaches what it may use itself', async () => {
  expect(await isReachable('/no/matter/what', undefined)).toBe(true);
});

test('a closed folder anywhere above is not reachable for a stranger', async () => {
  chmodSync(top, 0o700);
  expect(await isReachable(inner, stranger)).toBe(false);
  expect(await isReachable(inner, { uid, gid })).toBe(true);
  chmodSync(top, 0o711);
  expect(await isReachable(inner, stranger)).toBe(true);
});

test('the rights of the group count for its members only', async () => {
  chmodSync(top, 0o710);
  expect(await isReachable(inner, { uid: uid + 1, gid })).toBe(true);
  expect(await isReachable(inner, stranger)).toBe(false);
});

test('a folder that does not exist yet counts as reachable when the ones above it are', async () => {
  chmodSync(top, 0o711);
  expect(await isReachable(join(inner, 'later', 'on'), stranger)).toBe(true);
});
