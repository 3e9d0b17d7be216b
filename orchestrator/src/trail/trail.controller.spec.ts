import type { TrailEventView } from '@tidemill/protocol';
import { expect, test } from 'vitest';
import { TrailController } from './trail.controller.js';
import type { TrailReader } from './trail.reader.js';

/** A trail of events that say only their place. */
function aController(size: number): TrailController {
  const at = (place: number) => ({ place }) as TrailEventView; // the controller hands events on unread
  const reader = {
    list: (from: number, limit: number) =>
      Promise.resolve(
        Array.from({ length: Math.max(0, Math.min(limit, size - from)) }, (_, i) => at(from + i)),
      ),
    event: (place: number) => Promise.resolve(place < size ? at(place) : null),
    checkpoint: () => Promise.resolve(null),
    inclusion: () => Promise.resolve(null),
    consistency: () => Promise.resolve(null),
  };
  return new TrailController(reader as unknown as TrailReader); // all that the controller calls
}

const NOBODY = {
  params: undefined,
  query: undefined,
  headers: undefined,
  body: undefined,
  caller: null,
} as const;

test.each([
  { size: 5, from: 0, limit: 2, places: [0, 1], nextCursor: '2' },
  { size: 5, from: 2, limit: 2, places: [2, 3], nextCursor: '4' },
  { size: 5, from: 4, limit: 2, places: [4], nextCursor: null },
  { size: 4, from: 2, limit: 2, places: [2, 3], nextCursor: null },
  { size: 4, from: 9, limit: 2, places: [], nextCursor: null },
])(
  'a page of $limit from $from of $size events',
  async ({ size, from, limit, places, nextCursor }) => {
    const page = await aController(size).list({ ...NOBODY, query: { from, limit } });
    expect(page.items.map(({ place }) => place)).toEqual(places);
    expect(page.nextCursor).toBe(nextCursor);
  },
);

test('what is not there is NOT_FOUND', async () => {
  const controller = aController(3);
  expect(await controller.event({ ...NOBODY, params: { place: 2 } })).toEqual({ place: 2 });
  const asked = [
    controller.event({ ...NOBODY, params: { place: 3 } }),
    controller.checkpoint({ ...NOBODY, query: { size: 2 } }),
    controller.inclusion({ ...NOBODY, query: { place: 3, size: 3 } }),
    controller.consistency({ ...NOBODY, query: { from: 1, to: 9 } }),
  ];
  for (const answer of asked) await expect(answer).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
