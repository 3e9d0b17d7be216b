import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../testing/builders.js';
import { settle, VirtualTime } from '../testing/virtual-time.js';
import { ArtifactCache } from './cache.js';

let folder: string;
let time: VirtualTime;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-cache-'));
  time = new VirtualTime();
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A file of `sizeBytes` in the cache, used now. */
async function used(cache: ArtifactCache, sizeBytes: number) {
  const bytes = randomBytes(sizeBytes);
  const input = { digest: digestOf(bytes), sizeBytes };
  const file = await cache.reserve(input);
  await writeFile(file.path, bytes);
  await time.advance(1_000);
  return { input, file };
}

test('what was used longest ago makes room', async () => {
  const cache = await ArtifactCache.open(folder, 1_000, time);
  const [a, b] = [await used(cache, 400), await used(cache, 400)];
  b.file.release();
  await time.advance(1_000);
  a.file.release();
  await used(cache, 300);
  expect(await cache.has(a.input)).toBe(true);
  expect(await cache.has(b.input)).toBe(false);
  expect(cache.bytes).toBe(700);
});

test('what is in use stays, and what does not fit beside it is refused', async () => {
  const cache = await ArtifactCache.open(folder, 1_000, time);
  const { input } = await used(cache, 800);
  await expect(
    cache.reserve({ digest: digestOf(randomBytes(1)), sizeBytes: 300 }),
  ).rejects.toMatchObject({
    code: 'INPUT_TOO_LARGE',
  });
  expect(await cache.has(input)).toBe(true);
  expect(cache.bytes).toBe(800);
});

test('a file in use by two is in use until both are done', async () => {
  const cache = await ArtifactCache.open(folder, 1_000, time);
  const { input, file } = await used(cache, 800);
  const again = await cache.reserve(input);
  file.release();
  file.release();
  await expect(
    cache.reserve({ digest: digestOf(randomBytes(1)), sizeBytes: 300 }),
  ).rejects.toThrow();
  again.release();
  await cache.reserve({ digest: digestOf(randomBytes(1)), sizeBytes: 300 });
  expect(await cache.has(input)).toBe(false);
});

test('the next process knows what is there and in which order it was used', async () => {
  const before = await ArtifactCache.open(folder, 1_000, time);
  const [a, b] = [await used(before, 400), await used(before, 400)];
  b.file.release();
  await time.advance(5_000);
  a.file.release();
  await settle();
  await settle();
  const after = await ArtifactCache.open(folder, 1_000, time);
  expect(after.bytes).toBe(800);
  await after.reserve({ digest: digestOf(randomBytes(1)), sizeBytes: 300 });
  expect(await after.has(a.input)).toBe(true);
  expect(await after.has(b.input)).toBe(false);
});

test('what does not belong in the folder is deleted', async () => {
  await writeFile(join(folder, 'stranger.txt'), 'x');
  await ArtifactCache.open(folder, 1_000, time);
  expect(await readdir(folder)).toEqual([]);
});
