import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advance, type Lease, type LeaseEvent } from './lease.js';

const TERM = 15_000;
const OFFER = 5_000;
const fence = fc.integer({ min: 1, max: 4 });
const time = fc.integer({ min: 0, max: 40_000 });
const lease: fc.Arbitrary<Lease> = fc.record({
  state: fc.constantFrom('offered', 'active', 'released', 'expired'),
  fence,
  untilMs: time,
});
const event: fc.Arbitrary<LeaseEvent> = fc.oneof(
  fc.record({
    type: fc.constantFrom('accept' as const, 'renew' as const, 'release' as const),
    fence,
  }),
  fc.constant({ type: 'sweep' as const }),
);
const isOpen = ({ state }: Lease) => state === 'offered' || state === 'active';
const runs = { numRuns: 2_000 };

test('a lease that is closed is never open again, whatever happens', () => {
  fc.assert(
    fc.property(lease, fc.array(fc.tuple(event, time), { maxLength: 12 }), (start, history) => {
      let [now, closed, released] = [start, !isOpen(start), start.state === 'released'];
      for (const [what, nowMs] of history) {
        const change = advance(now, what, nowMs, TERM);
        if (change.ok) now = change.lease;
        if (closed) expect(isOpen(now)).toBe(false);
        if (released) expect(now.state).toBe('released');
        closed ||= !isOpen(now);
        released ||= now.state === 'released';
      }
    }),
    runs,
  );
});

test('a lease whose time is over is never renewed or accepted, swept or not', () => {
  fc.assert(
    fc.property(
      lease,
      fence,
      time,
      fc.constantFrom('accept' as const, 'renew' as const),
      (start, of, nowMs, type) => {
        fc.pre(nowMs >= start.untilMs);
        expect(advance(start, { type, fence: of }, nowMs, TERM).ok).toBe(false);
      },
    ),
    runs,
  );
});

test('an event with another fence never changes a lease', () => {
  fc.assert(
    fc.property(lease, event, time, (start, what, nowMs) => {
      fc.pre(what.type !== 'sweep' && what.fence !== start.fence);
      expect(advance(start, what, nowMs, TERM)).toEqual({ ok: false, reason: 'wrong_fence' });
    }),
    runs,
  );
});

test('nothing changes a fence, and a term ends a whole term after it was granted', () => {
  fc.assert(
    fc.property(lease, event, time, (start, what, nowMs) => {
      const change = advance(start, what, nowMs, TERM);
      if (!change.ok) return;
      expect(change.lease.fence).toBe(start.fence);
      const granted = what.type === 'accept' || what.type === 'renew';
      expect(change.lease.untilMs).toBe(granted ? nowMs + TERM : start.untilMs);
    }),
    runs,
  );
});

/**
 * A task and the workers that were ever offered it, who keep sending with the fence they know. The task is offered again, with the
 * next fence, when its lease is over.
 */
test('at most one worker holds a task, and only the newest can report its result', () => {
  const step = fc.record({
    worker: fc.integer({ min: 1, max: 6 }),
    type: fc.constantFrom(
      'accept' as const,
      'renew' as const,
      'release' as const,
      'sweep' as const,
      'offer' as const,
    ),
    passesMs: fc.integer({ min: 0, max: 8_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let nowMs = 0;
      let current: Lease = { state: 'offered', fence: 1, untilMs: OFFER };
      let results = 0;
      // Until when each worker may believe to hold the task: what it was last granted.
      const granted = new Map<number, number>();
      for (const { worker, type, passesMs } of steps) {
        nowMs += passesMs;
        if (type === 'offer') {
          if (current.state !== 'expired') continue;
          current = { state: 'offered', fence: current.fence + 1, untilMs: nowMs + OFFER };
          continue;
        }
        const change = advance(
          current,
          type === 'sweep' ? { type } : { type, fence: worker },
          nowMs,
          TERM,
        );
        if (!change.ok) continue;
        if (type !== 'sweep') expect(worker).toBe(current.fence);
        if (type === 'accept' || type === 'renew') granted.set(worker, change.lease.untilMs);
        if (type === 'release') {
          granted.delete(worker);
          results += 1;
        }
        current = change.lease;
        const holders = [...granted].filter(([, untilMs]) => nowMs < untilMs);
        expect(holders.length).toBeLessThanOrEqual(1);
      }
      expect(results).toBeLessThanOrEqual(1);
    }),
    runs,
  );
});
