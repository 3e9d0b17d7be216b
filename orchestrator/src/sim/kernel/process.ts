import { Clock } from '../../platform/clock.js';

/** The moment at which every simulation begins, in milliseconds since 1970. */
export const START_MS = 1_750_000_000_000;

/** The one time there is, and what happens in it. */
interface VirtualTime {
  readonly nowMs: number;
  after(delayMs: number, owner: Process, label: string, run: () => void): { cancel(): void };
}

/** A process of the simulated network: it can be paused, crash and start again, and its clock may be wrong. */
export class Process extends Clock {
  /** Grows with every crash; what an earlier life had set going does not happen any more. */
  life = 0;
  isUp = false;
  pausedUntilMs = 0;
  /** How far its wall clock is off. */
  wallOffsetMs = 0;

  constructor(
    readonly name: string,
    private readonly kernel: VirtualTime,
  ) {
    super();
  }

  /** Does something in a moment, as this process. */
  after(run: () => void, delayMs = 0, label = 'timer'): () => void {
    const scheduled = this.kernel.after(delayMs, this, label, run);
    return () => scheduled.cancel();
  }

  nowMs(): number {
    return Math.floor(START_MS + this.kernel.nowMs + this.wallOffsetMs);
  }

  monotonicMs(): number {
    return this.kernel.nowMs;
  }
}
