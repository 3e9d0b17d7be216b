import { expect, it } from 'vitest';
import { affordableSockets, openFilesLimit } from './open-files.js';

const limits = (hard: string) =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 ${hard}               files     \n`;

it('reads the hard limit', () => {
  expect(openFilesLimit(limits('20000'))).toBe(20_000);
  expect(openFilesLimit(limits('unlimited'))).toBe(Number.POSITIVE_INFINITY);
});

it('measures fewer sockets where a process may not open so many, and says so', () => {
  expect(affordableSockets(4_000, 20_000)).toEqual({ count: 4_000, remark: null });
  const few = affordableSockets(4_000, 1_024);
  expect(few.count).toBe(824);
  expect(few.remark).toContain('1024 files');
});
