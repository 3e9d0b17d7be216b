import type { Digest } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerFor } from './range.js';

const digest = `sha256:${'ab'.repeat(32)}` as Digest;
const bound = fc.oneof(fc.nat().map(String), fc.constant(''), fc.string({ maxLength: 6 }));

test('whatever is asked, a range lies inside the artifact', () => {
  fc.assert(
    fc.property(bound, bound, fc.nat(10_000), (first, last, sizeBytes) => {
      const answer = answerFor(
        { method: 'GET', range: `bytes=${first}-${last}` },
        digest,
        sizeBytes,
      );
      if (answer.status !== 206) return;
      expect(answer.range.first).toBeGreaterThanOrEqual(0);
      expect(answer.range.last).toBeGreaterThanOrEqual(answer.range.first);
      expect(answer.range.last).toBeLessThan(sizeBytes);
    }),
  );
});
