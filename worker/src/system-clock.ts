import type { Clock, Random, Timers } from './clock.js';

/** The machine's own clocks. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** Node fires a longer timer at once; an attempt may last 30 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The event loop's timers. */
export const systemTimers: Timers = {
  after(delayMs, run) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const now = Math.min(leftMs, LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > now ? arm(leftMs - now) : run()), now);
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = () => Math.random();
