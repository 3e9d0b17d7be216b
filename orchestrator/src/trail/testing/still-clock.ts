import { Clock } from '../../platform/clock.js';

/** A clock that stands still until it is set. */
export class StillClock extends Clock {
  atMs = 1_700_000_000_000;
  nowMs(): number {
    return this.atMs;
  }
  monotonicMs(): number {
    return this.atMs;
  }
}
