import { MAX_FRAME_BYTES } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack } from './pack.js';

// From tiny to four of them in a frame, with letters of one to six bytes in JSON.
const item = fc
  .tuple(fc.constantFrom('a', 'é', '\u0001', '"'), fc.integer({ min: 0, max: 10_000 }))
  .map(([letter, count]) => letter.repeat(count));

test('packing keeps every item in order, and every list fits a frame', () => {
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 60 }),
      fc.integer({ min: 1, max: 64 }),
      (items, maxItems) => {
        const lists = pack(items, maxItems);
        expect(lists.flat()).toEqual(items);
        for (const list of lists) {
          expect(list.length).toBeGreaterThan(0);
          expect(list.length).toBeLessThanOrEqual(maxItems);
          expect(Buffer.byteLength(JSON.stringify(list))).toBeLessThan(MAX_FRAME_BYTES);
        }
      },
    ),
    { numRuns: 50 },
  );
});
