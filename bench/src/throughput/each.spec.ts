import { expect, it } from 'vitest';
import { each } from './each.js';

it('does every item once and never more than the limit at a time', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await each([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running -= 1;
    done.push(item);
  });
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

it('fails with the first failure', async () => {
  const failing = each([1, 2], 1, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
});
