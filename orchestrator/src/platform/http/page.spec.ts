import { expect, test } from 'vitest';
import { pageOf, positionOf, toCursor } from './page.js';

const FORM = /^\d{1,18}$/;

test('a list is read page by page, each item once, and its last page says so', () => {
  const all = [9, 8, 7, 6, 5, 4];
  const seen: number[] = [];
  for (let cursor: string | undefined; ;) {
    const before = Number(positionOf('numbers', cursor, FORM)?.[0] ?? 10);
    const { items, nextCursor } = pageOf(
      'numbers',
      all.filter((n) => n < before).slice(0, 3),
      2,
      String,
    );
    seen.push(...items);
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  expect(seen).toEqual(all);
});

test.each(['', 'nonsense', '9', toCursor('others', '9'), toCursor('numbers', "9' OR 1=1")])(
  'the cursor %j is refused with a code',
  (cursor) => {
    expect(() => positionOf('numbers', cursor, FORM)).toThrow(/CURSOR_INVALID/);
  },
);
