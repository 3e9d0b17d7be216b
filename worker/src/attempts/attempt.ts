import type { LeaseRef, Offer, TaskPayload } from '@tidemill/protocol';
import { Meter } from '../receipts/meter.js';
import type { CancelTimer, Clock } from '../clock.js';
import type { AttemptPhase, AttemptView } from '../status/snapshot.js';
import type { AttemptResult } from './result.js';

/** Why an attempt ends without a receipt. */
export type StopReason =
  | 'cancelled'
  | 'expired'
  | 'lost'
  | 'preempted'
  | 'stale'
  /** The orchestrator does not count it as ours any more. */
  | 'gone'
  /** Nothing was heard for too long (G5). */
  | 'silence'
  /** The agent has to stop. */
  | 'shutdown';

/** The reason of an aborted attempt's signal. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor(readonly reason: StopReason) {
    super(`attempt stopped: ${reason}`);
  }
}

/** The attempt ran longer than its job allows. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';

  constructor(readonly limitMs: number) {
    super(`longer than ${limitMs} ms`);
  }
}

/** One attempt from its acceptance on. */
export class Attempt {
  readonly lease: LeaseRef;
  /** Runs from the acceptance on. */
  meter: Meter;
  /** Its acceptance was sent. */
  hasBegun = false;
  readonly controller = new AbortController();
  phase: AttemptPhase = 'fetching';
  progress: { readonly step: number; readonly totalSteps: number } | null = null;
  /** The orchestrator said that the lease is active. */
  isConfirmed = false;
  /** Undoes the timer that waits for its confirmation or its end. */
  cancelWait: CancelTimer = () => undefined;
  /** Set when it ended and waits for that. */
  result: AttemptResult | null = null;

  constructor(
    readonly offer: Offer,
    readonly payload: TaskPayload,
    clock: Pick<Clock, 'monotonicMs'>,
  ) {
    this.lease = { attemptId: offer.attemptId, fence: offer.fence };
    this.meter = new Meter(clock);
  }

  view(): AttemptView {
    const { attemptId, jobId, taskId } = this.offer;
    return {
      attemptId,
      jobId,
      taskId,
      phase: this.phase,
      elapsedMs: this.meter.elapsedMs(),
      progress: this.progress,
    };
  }
}
