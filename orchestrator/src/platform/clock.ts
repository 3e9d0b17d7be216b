/** Time, as a port: decisions take it as an argument, and a simulator gives its own. */
export abstract class Clock {
  /** Milliseconds since 1970; may jump. For what people read and what carries a date. */
  abstract nowMs(): number;
  /** Milliseconds since some start; only rises. For durations and limits. */
  abstract monotonicMs(): number;
}

export class SystemClock extends Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }
}
