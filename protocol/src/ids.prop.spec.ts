import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AttemptId, JobId, madeAtMs, makeId, TaskId, type IdKind } from './ids.js';

const MAX_MS = 2 ** 48 - 1;
const time = fc.oneof(fc.integer({ min: 0, max: MAX_MS }), fc.constantFrom(0, 1, 255, 256, MAX_MS));
const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
const kinds: readonly IdKind[] = [
  'job',
  'task',
  'attempt',
  'worker',
  'account',
  'key',
  'session',
  'decision',
  'upload',
];

/** Takes an id apart again, by the rules of RFC 9562 and Crockford's base32 and not by those of the code under test. */
function bitsOf(id: string): bigint {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz';
  return [...id.slice(4)].reduce((sum, digit) => sum * 32n + BigInt(digits.indexOf(digit)), 0n);
}

test('an id is a UUID of version 7 that holds the time it was made and the randomness it was given', () => {
  fc.assert(
    fc.property(time, random, (ms, bytes) => {
      const bits = bitsOf(makeId('job', ms, bytes));
      const given = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      expect(bits >> 80n).toBe(BigInt(ms));
      expect((bits >> 76n) & 0xfn).toBe(7n);
      expect((bits >> 62n) & 0b11n).toBe(0b10n);
      const kept = ~((0xfn << 76n) | (0b11n << 62n)) & ((1n << 80n) - 1n);
      expect(bits & kept).toBe(given & kept);
    }),
  );
});

test('ids of one kind sort by the time they were made', () => {
  fc.assert(
    fc.property(time, time, random, random, (a, b, first, second) => {
      fc.pre(a !== b);
      expect(makeId('task', a, first) < makeId('task', b, second)).toBe(a < b);
    }),
  );
});

test('an id tells when it was made, and a text that is none tells nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), time, random, (kind, ms, bytes) => {
      expect(madeAtMs(makeId(kind, ms, bytes))).toBe(ms);
    }),
  );
  for (const text of ['', 'job_', 'job_01', 'job_01fwhe4yuu0000000000000000', 'nothing'])
    expect(madeAtMs(text)).toBeNaN();
});

test('every id has the form of its kind and of no other', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), time, random, (kind, ms, bytes) => {
      const id: string = makeId(kind, ms, bytes);
      expect(id).toHaveLength(30);
      expect(JobId.safeParse(id).success).toBe(kind === 'job');
      expect(TaskId.safeParse(id).success).toBe(kind === 'task');
      expect(AttemptId.safeParse(id).success).toBe(kind === 'attempt');
    }),
  );
});

test('the randomness is left as it was given', () => {
  const bytes = new Uint8Array(10).fill(255);
  makeId('job', 1, bytes);
  expect([...bytes]).toEqual(Array(10).fill(255));
});
