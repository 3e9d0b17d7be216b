/** The time, as a port: a simulator gives its own. */
export interface Clock {
  /** Milliseconds since 1970, for what is written down. It may jump. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start, for what is measured. It never goes back. */
  monotonicMs(): number;
}

/** Undoes a timer that has not fired; harmless afterwards. */
export type CancelTimer = () => void;

export interface Timers {
  /** Calls `run` once, not earlier than `delayMs` from now and never before this call returns. */
  after(delayMs: number, run: () => void): CancelTimer;
}

/** A number from 0 up to but not including 1. */
export type Random = () => number;
