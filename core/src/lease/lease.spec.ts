import { expect, test } from 'vitest';
import { advance, type Lease, type LeaseEvent } from './lease.js';

const TERM = 15_000;
const offered: Lease = { state: 'offered', fence: 3, untilMs: 5_000 };
const active: Lease = { state: 'active', fence: 3, untilMs: 20_000 };
const event = (type: 'accept' | 'renew' | 'release', fence = 3): LeaseEvent => ({ type, fence });

test('an offer that is accepted in time is active for a term', () => {
  expect(advance(offered, event('accept'), 4_999, TERM)).toEqual({
    ok: true,
    lease: { state: 'active', fence: 3, untilMs: 19_999 },
  });
});

test('an offer that is accepted too late is lost', () => {
  expect(advance(offered, event('accept'), 5_000, TERM)).toEqual({
    ok: false,
    reason: 'lease_expired',
  });
});

test('accepting twice is refused, renewing is not', () => {
  expect(advance(active, event('accept'), 6_000, TERM)).toEqual({
    ok: false,
    reason: 'not_offered',
  });
  expect(advance(active, event('renew'), 6_000, TERM)).toEqual({
    ok: true,
    lease: { ...active, untilMs: 21_000 },
  });
});

test('a late renewal does not revive an expired lease', () => {
  expect(advance(active, event('renew'), 20_000, TERM)).toEqual({
    ok: false,
    reason: 'lease_expired',
  });
});

test('a release counts however late it comes, since only the fence decides about a result', () => {
  expect(advance(active, event('release'), 99_000, TERM)).toMatchObject({
    ok: true,
    lease: { state: 'released' },
  });
  expect(advance({ ...active, state: 'expired' }, event('release'), 99_000, TERM)).toMatchObject({
    ok: true,
  });
  expect(advance({ ...active, state: 'released' }, event('release'), 0, TERM)).toEqual({
    ok: false,
    reason: 'lease_closed',
  });
});

test.each(['accept', 'renew', 'release'] as const)(
  '%s with the fence of another lease changes nothing',
  (type) => {
    for (const fence of [2, 4])
      expect(advance(active, event(type, fence), 0, TERM)).toEqual({
        ok: false,
        reason: 'wrong_fence',
      });
  },
);

test('a sweep ends what is over at that very millisecond, and nothing before', () => {
  expect(advance(active, { type: 'sweep' }, 19_999, TERM)).toEqual({ ok: true, lease: active });
  expect(advance(active, { type: 'sweep' }, 20_000, TERM)).toEqual({
    ok: true,
    lease: { ...active, state: 'expired' },
  });
  expect(advance(offered, { type: 'sweep' }, 5_000, TERM)).toMatchObject({
    lease: { state: 'expired' },
  });
});
