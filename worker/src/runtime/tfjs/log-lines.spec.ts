import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readLines } from './log-lines.js';

async function lines(chunks: string[], bytes = 1_000) {
  const said: string[] = [];
  const tail = await readLines(
    Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
    { bytes },
    (line) => said.push(line),
  );
  return { said, tail };
}

describe('what a child prints', () => {
  test('becomes lines, wherever its pieces break and however it ends', async () => {
    expect((await lines(['one\ntw', 'o\n\nthree'])).said).toEqual(['one', 'two', '', 'three']);
  });

  test('loses what moves cursors, changes colours or breaks lines', async () => {
    expect((await lines(['\u001b[31mred\u001b[0m\rback\u0007\u009b2J\n'])).said).toEqual([
      '[31mred[0mback2J',
    ]);
  });

  test('is cut at its budget, once and with a word, and read to its end all the same', async () => {
    const { said, tail } = await lines(
      Array.from({ length: 1_000 }, (_, i) => `line ${i}\n`),
      50,
    );
    expect(said.length).toBeLessThan(10);
    expect(said.at(-1)).toMatch(/longer than allowed/);
    expect(tail.endsWith('line 999\n')).toBe(true);
  });

  test('is broken when it has no line ends', async () => {
    const { said } = await lines(['x'.repeat(10_000)], 100_000);
    expect(said.map((line) => line.length)).toEqual([4_096, 4_096, 1_808]);
  });
});
