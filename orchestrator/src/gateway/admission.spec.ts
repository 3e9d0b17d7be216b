import { expect, test } from 'vitest';
import { Clock } from '../platform/clock.js';
import { Admission } from './admission.js';
import type { Session } from './session.js';

class StillClock extends Clock {
  ms = 0;
  nowMs = (): number => this.ms;
  monotonicMs = (): number => this.ms;
}

const named = (name: string): Session => ({ name }) as unknown as Session; // only its identity counts here

test('a network has at most 32 sockets, and one that closes makes room (G20)', () => {
  const admission = new Admission(new StillClock());
  for (let i = 0; i < 32; i += 1) expect(admission.admit('a')).toBeNull();
  expect(admission.admit('a')).toBe('tooMany');
  expect(admission.admit('b')).toBeNull();
  admission.release('a');
  expect(admission.admit('a')).toBeNull();
});

test('a storm of new sockets is let in at the rate at which an honest site comes back (G20)', () => {
  const clock = new StillClock();
  const admission = new Admission(clock);
  const storm = (tries: number): number => {
    let through = 0;
    for (let i = 0; i < tries; i += 1) {
      if (admission.admit('a') !== null) continue;
      through += 1;
      admission.release('a');
    }
    return through;
  };
  expect(storm(1_000)).toBe(96);
  expect(admission.admit('a')).toBe('tooFast');
  clock.ms += 1_000;
  expect(storm(1_000)).toBe(8);
  expect(admission.admit('b')).toBeNull();
});

test('of too many that do not log in, the one that has waited longest makes room (G20)', () => {
  const admission = new Admission(new StillClock());
  const sessions = Array.from({ length: 1_024 }, (_, i) => named(`waiting ${i}`));
  for (const session of sessions) expect(admission.waits(session)).toBeNull();
  expect(admission.waits(named('one more'))).toBe(sessions[0]);
  const [, second, third] = sessions;
  if (second === undefined || third === undefined) throw new Error('there are 1,024');
  admission.waitsNoMore(second);
  expect(admission.waits(named('in its place'))).toBeNull();
  expect(admission.waits(named('and another'))).toBe(third);
});
