import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { downloadTrail } from './trail-download.js';

const CHECKPOINT = JSON.stringify({ checkpoint: { size: 6 }, witnesses: [] });
const EVENTS = Array.from({ length: 6 }, (_, place) =>
  JSON.stringify({ event: { place, body: 'ä' } }),
);
const WHOLE = `${[CHECKPOINT, ...EVENTS].join('\n')}\n`;

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-download-'));
  file = join(folder, 'trail.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

/** A network that breaks off after so many lines, each time; it remembers from where it was asked. */
function network(afterLines = Number.POSITIVE_INFINITY) {
  const asked: number[] = [];
  return {
    asked,
    async *lines(this: void, from: number): AsyncGenerator<string> {
      asked.push(from);
      const all = from === 0 ? [CHECKPOINT, ...EVENTS] : EVENTS.slice(from);
      for (const [i, line] of all.entries()) {
        if (i === afterLines) throw new Error('cut off');
        yield await Promise.resolve(line);
      }
    },
  };
}

test('a trail is copied whole', async () => {
  expect(await downloadTrail(network().lines, file)).toEqual({ events: 6, resumedAt: 0 });
  expect(await readFile(file, 'utf8')).toBe(WHOLE);
});

test('a connection that breaks again and again costs no line twice', async () => {
  const { lines, asked } = network(2);
  expect(await downloadTrail(lines, file)).toMatchObject({ events: 6 });
  expect(await readFile(file, 'utf8')).toBe(WHOLE);
  expect(asked).toEqual([0, 1, 3, 5]);
});

test('what an earlier run left is kept, but for a line without its end', async () => {
  await writeFile(`${file}.part`, `${[CHECKPOINT, ...EVENTS.slice(0, 3)].join('\n')}\n`);
  await appendFile(`${file}.part`, EVENTS[3] ?? '');
  const { lines, asked } = network();
  expect(await downloadTrail(lines, file)).toEqual({ events: 6, resumedAt: 3 });
  expect(await readFile(file, 'utf8')).toBe(WHOLE);
  expect(asked).toEqual([3]);
});

test('a network that gives nothing ends the copy with its error, and leaves no file that looks whole', async () => {
  await expect(downloadTrail(network(0).lines, file)).rejects.toThrow('cut off');
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});

test('a file that exists is not overwritten', async () => {
  await writeFile(file, 'mine');
  await expect(downloadTrail(network().lines, file)).rejects.toThrow('exists already');
  expect(await readFile(file, 'utf8')).toBe('mine');
});
