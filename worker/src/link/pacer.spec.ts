import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualTime } from '../testing/virtual-time.js';
import { Pacer, type Urgency } from './pacer.js';

/** Sends as much as it may for a while; the times of what was sent. */
async function flood(urgency: Urgency, forMs: number): Promise<number[]> {
  const time = new VirtualTime();
  const pacer = new Pacer(time);
  const sentAtMs: number[] = [];
  while (time.monotonicMs() < forMs) {
    const waitMs = pacer.waitMs(urgency);
    if (waitMs > 0) await time.advance(waitMs);
    else {
      pacer.spend();
      sentAtMs.push(time.monotonicMs());
    }
  }
  return sentAtMs;
}

test('a burst goes at once, then it is the rate that counts', async () => {
  const sent = await flood('answer', 10_000);
  expect(sent.filter((ms) => ms === 0)).toHaveLength(22);
  expect(sent.length).toBeGreaterThan(130);
  expect(sent.length).toBeLessThanOrEqual(142);
});

test('what is less urgent leaves room for what is more urgent', () => {
  const pacer = new Pacer(new VirtualTime());
  while (pacer.waitMs('talk') === 0) pacer.spend();
  expect(pacer.waitMs('receipt')).toBe(0);
  while (pacer.waitMs('receipt') === 0) pacer.spend();
  expect(pacer.waitMs('answer')).toBe(0);
});

test('no pause of the reader up to three seconds makes a flood of it', async () => {
  const sent = await flood('answer', 20_000);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 16_000 }),
      fc.integer({ min: 0, max: 3_000 }),
      (from, pause) => {
        expect(sent.filter((ms) => ms >= from && ms <= from + pause).length).toBeLessThanOrEqual(
          60,
        );
      },
    ),
  );
});
