import type { Random } from '../clock.js';

export interface BackoffLimits {
  /** Upper bound of the first delay. */
  readonly firstMs: number;
  /** Upper bound while attempts wait for the orchestrator: they stop by themselves before long. */
  readonly workingMaxMs: number;
  /** Upper bound otherwise. */
  readonly idleMaxMs: number;
}

/** An orchestrator back within 8 s of an outage finds every worker again before it stops its attempts after 12 s. */
const BACKOFF: BackoffLimits = { firstMs: 250, workingMaxMs: 2_000, idleMaxMs: 8_000 };

/** Delays between attempts to connect: doubling, and spread over the upper half so that workers do not return as one. */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly random: Random,
    private readonly limits: BackoffLimits = BACKOFF,
  ) {}

  /** The delay before the next connection, in whole milliseconds. */
  nextDelayMs(hasWork: boolean): number {
    const longest = hasWork ? this.limits.workingMaxMs : this.limits.idleMaxMs;
    // 2^20 is far beyond every limit; it keeps the power finite however long an outage lasts.
    const bound = Math.min(longest, this.limits.firstMs * 2 ** Math.min(this.failures, 20));
    this.failures += 1;
    return Math.round(bound / 2 + (bound / 2) * this.random());
  }

  /** Called when a login succeeds: the next outage starts from the shortest delay. */
  reset(): void {
    this.failures = 0;
  }
}
