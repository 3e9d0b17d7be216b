import { expect, test } from 'vitest';
import { everyItem } from './pages.js';

test('a list is read page by page, and only as far as the reader goes', async () => {
  const asked: (string | undefined)[] = [];
  const pages = {
    start: { items: [1, 2], nextCursor: 'b' },
    b: { items: [3], nextCursor: 'c' },
    c: { items: [], nextCursor: null },
  };
  const read = async ({ cursor }: { cursor?: string }) => {
    asked.push(cursor);
    return pages[(cursor ?? 'start') as keyof typeof pages];
  };
  const all: number[] = [];
  for await (const item of everyItem(read)) all.push(item);
  expect(all).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, 'b', 'c']);

  for await (const item of everyItem(read)) if (item === 1) break;
  expect(asked).toHaveLength(4);
});
