import type { Clock } from '../sdk/clock.js';

/** A clock whose waits take no time but are written down. */
export function quickClock(
  nowMs = Date.parse('2030-01-01T00:00:00Z'),
): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    nowMs: () => nowMs,
    random: () => 0.5,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      waits.push(ms);
    },
  };
}
