import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Batcher } from './batcher.js';

/** A batcher whose batches are ended by hand. */
function byHand(max: number) {
  const batches: {
    items: number[];
    end: (results: string[]) => void;
    fail: (cause: Error) => void;
  }[] = [];
  const batcher = new Batcher<number, string>(
    (items) => new Promise((end, fail) => batches.push({ items, end, fail })),
    max,
  );
  return { batcher, batches };
}
const asTexts = (items: number[]): string[] => items.map((item) => `#${item}`);

test('the first item starts a batch at once; what arrives meanwhile is the next', async () => {
  const { batcher, batches } = byHand(10);
  const first = batcher.add(1);
  await nextTurn();
  expect(batches.map(({ items }) => items)).toEqual([[1]]);
  const others = [batcher.add(2), batcher.add(3)];
  await nextTurn();
  expect([batches.length, batcher.size]).toEqual([1, 2]);
  batches[0]?.end(['#1']);
  expect(await first).toBe('#1');
  expect(batches[1]?.items).toEqual([2, 3]);
  batches[1]?.end(['#2', '#3']);
  expect(await Promise.all(others)).toEqual(['#2', '#3']);
});

test('items of one turn of the event loop share a batch, and each gets its own result', async () => {
  const seen: number[][] = [];
  const batcher = new Batcher<number, string>((items) => {
    seen.push(items);
    return Promise.resolve(asTexts(items));
  }, 10);
  const results = await Promise.all([1, 2, 3].map((item) => batcher.add(item)));
  expect([results, seen]).toEqual([['#1', '#2', '#3'], [[1, 2, 3]]]);
});

test('a batch has at most so many items; the rest follow in order', async () => {
  const seen: number[][] = [];
  const batcher = new Batcher<number, string>((items) => {
    seen.push(items);
    return Promise.resolve(asTexts(items));
  }, 2);
  await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
  expect(seen).toEqual([[1, 2], [3, 4], [5]]);
});

test('a batch that fails fails its own items and no others', async () => {
  const { batcher, batches } = byHand(2);
  const items = [batcher.add(1), batcher.add(2), batcher.add(3)];
  await nextTurn();
  batches[0]?.fail(new Error('no database'));
  await expect(items[0]).rejects.toThrow('no database');
  await expect(items[1]).rejects.toThrow('no database');
  expect(batches[1]?.items).toEqual([3]);
  batches[1]?.end(['#3']);
  expect(await items[2]).toBe('#3');
});

test('after a pause it starts again', async () => {
  const { batcher, batches } = byHand(10);
  const before = batcher.add(1);
  await nextTurn();
  batches[0]?.end(['#1']);
  await before;
  await nextTurn();
  const after = batcher.add(2);
  await nextTurn();
  batches[1]?.end(['#2']);
  expect(await after).toBe('#2');
  expect(batcher.size).toBe(0);
});
