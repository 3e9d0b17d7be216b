import type { Clock } from '../clock.js';

/** What a frame is for: what can wait gives way to what cannot. */
export type Urgency =
  /** Answers to offers: an offer not accepted in time goes elsewhere. */
  | 'answer'
  /** Receipts; the later they go, the more share a frame. */
  | 'receipt'
  /** Progress and logs. */
  | 'talk';

export interface PacerLimits {
  readonly framesPerSecond: number;
  readonly burst: number;
}

/**
 * The orchestrator closes the socket of a worker that sends more than 20 frames a second after a burst of 60. This stays so far below
 * that even what piles up while the orchestrator pauses for three seconds does not pass for a flood.
 */
const PACE: PacerLimits = { framesPerSecond: 12, burst: 24 };

/** Frames that must stay free for what is more urgent. */
const SPARE: Record<Urgency, number> = { answer: 2, receipt: 4, talk: 12 };

/** An allowance of frames that fills up with time. Everything sent is counted; only what can wait asks first. */
export class Pacer {
  private tokens: number;
  private filledMs: number;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly limits: PacerLimits = PACE,
  ) {
    this.tokens = limits.burst;
    this.filledMs = clock.monotonicMs();
  }

  /** Counts one frame. What does not ask first may overdraw: there is little of it. */
  spend(): void {
    this.fill();
    this.tokens -= 1;
  }

  /** How long such a frame should still wait, in whole milliseconds; 0: it may go now. */
  waitMs(urgency: Urgency): number {
    this.fill();
    const missing = 1 + SPARE[urgency] - this.tokens;
    return missing <= 0 ? 0 : Math.ceil((missing / this.limits.framesPerSecond) * 1_000);
  }

  private fill(): void {
    const nowMs = this.clock.monotonicMs();
    const filled = this.tokens + ((nowMs - this.filledMs) / 1_000) * this.limits.framesPerSecond;
    this.tokens = Math.min(this.limits.burst, filled);
    this.filledMs = nowMs;
  }
}
