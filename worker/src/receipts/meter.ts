import type { Clock } from '../clock.js';

/** Measures one attempt from its acceptance, on the monotonic clock: a wall clock that is set back cannot shorten a bill. */
export class Meter {
  private readonly startMs: number;
  private endMs: number | null = null;

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {
    this.startMs = clock.monotonicMs();
  }

  /** Ends the measurement; what comes later is not billed. Ending twice is ending once. */
  end(): void {
    this.endMs ??= this.clock.monotonicMs();
  }

  /** Whole milliseconds so far, rounded down. */
  elapsedMs(): number {
    return Math.floor((this.endMs ?? this.clock.monotonicMs()) - this.startMs);
  }
}
