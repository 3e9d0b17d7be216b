import type { CancelTimer, Clock, Random, Timers } from '../clock.js';

export interface HeartbeatTiming {
  readonly heartbeatMs: number;
  readonly selfStopMs: number;
}

export interface HeartbeatActions {
  /** Sends one sign of life. */
  beat(): void;
  /** Two heartbeats went unanswered: the connection is taken for dead. */
  silent(silentMs: number): void;
  /** Nothing was heard for so long that the leases may end: whatever runs must stop now (G5). */
  selfStop(silentMs: number): void;
}

/** Heartbeats without an answer before a connection that looks open is given up. */
const MISSED_BEATS = 2;

/**
 * Signs of life, and the acknowledgement clock. The clock goes on while there is no connection: what matters is how long ago the
 * orchestrator was last known to know this worker, by the monotonic clock.
 */
export class Heartbeat {
  private timing: HeartbeatTiming | null = null;
  private lastHeardMs: number | null = null;
  private isSilent = false;
  private hasStopped = false;
  private cancelBeat: CancelTimer | null = null;
  private cancelWatch: CancelTimer | null = null;

  constructor(
    private readonly ports: {
      readonly clock: Clock;
      readonly timers: Timers;
      readonly random: Random;
    },
    private readonly actions: HeartbeatActions,
  ) {}

  /** A session began: it counts as heard from, and beats start at a random moment of the first interval. */
  begin(timing: HeartbeatTiming): void {
    this.timing = timing;
    this.heard();
    this.pause();
    this.beatAfter(timing.heartbeatMs * this.ports.random());
    this.rewatch();
  }

  /** A frame of the session arrived. */
  heard(): void {
    this.lastHeardMs = this.ports.clock.monotonicMs();
    this.isSilent = false;
    if (!this.hasStopped) return;
    this.hasStopped = false;
    this.rewatch();
  }

  /** The connection is gone: no beats until the next session; the acknowledgement clock goes on. */
  pause(): void {
    this.cancelBeat?.();
    this.cancelBeat = null;
  }

  end(): void {
    this.pause();
    this.cancelWatch?.();
    this.cancelWatch = null;
  }

  /** How long ago the orchestrator was last heard, or null before the first session. */
  silentMs(): number | null {
    return this.lastHeardMs === null ? null : this.ports.clock.monotonicMs() - this.lastHeardMs;
  }

  private beatAfter(delayMs: number): void {
    this.cancelBeat = this.ports.timers.after(delayMs, () => {
      if (this.timing === null) return;
      this.beatAfter(this.timing.heartbeatMs);
      this.actions.beat();
    });
  }

  private rewatch(): void {
    this.cancelWatch?.();
    this.cancelWatch = null;
    this.watch();
  }

  /** Looks at the clock and sleeps until the next moment something could be due; frames only move `lastHeardMs`. */
  private watch(): void {
    const silentMs = this.silentMs();
    if (this.timing === null || silentMs === null || this.hasStopped) return;
    const { heartbeatMs, selfStopMs } = this.timing;
    if (silentMs >= selfStopMs) {
      this.hasStopped = true;
      this.actions.selfStop(silentMs);
      return;
    }
    const silentAfterMs = Math.min(heartbeatMs * MISSED_BEATS, selfStopMs);
    if (silentMs >= silentAfterMs && !this.isSilent) {
      this.isSilent = true;
      this.actions.silent(silentMs);
    }
    const nextMs = (silentMs < silentAfterMs ? silentAfterMs : selfStopMs) - silentMs;
    // Rounded up, or a timer that fires a fraction early would look again and again.
    this.cancelWatch = this.ports.timers.after(Math.ceil(nextMs), () => this.watch());
  }
}
