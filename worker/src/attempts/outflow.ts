import type { AttemptId, LeaseRef } from '@tidemill/protocol';
import type { CancelTimer, Timers } from '../clock.js';
import type { Outgoing, Outlet } from '../link/connection.js';
import type { Urgency } from '../link/pacer.js';
import { pack } from '../link/pack.js';
import { LogBuffer, type LogStream } from './log-buffer.js';

export interface ProgressNote {
  readonly step: number;
  readonly totalSteps: number;
  readonly metrics: Readonly<Record<string, number>>;
}

type ProgressItem = Extract<Outgoing, { type: 'progress' }>['items'][number];

/** Four times a second: as often as anybody watches, and a bound on frames whatever the attempts do. */
const FLUSH_MS = 250;
/** Most full log frames of one flush: 256 lines a second. */
const MAX_LOG_FRAMES = 2;
const MAX_LINES_IN_FRAME = 32;
const MAX_PROGRESS_IN_FRAME = 64;

/** Progress and logs on their way out: the newest progress of each attempt, the last lines of its log, both in bounded memory. */
export class Outflow {
  private readonly progress = new Map<AttemptId, ProgressItem>();
  private readonly logs = new LogBuffer();
  private cancelFlush: CancelTimer | null = null;

  constructor(
    private readonly timers: Timers,
    private readonly outlet: Outlet,
  ) {}

  noteProgress(lease: LeaseRef, note: ProgressNote): void {
    this.progress.set(lease.attemptId, {
      ...lease,
      step: wholeStep(note.step),
      totalSteps: wholeStep(note.totalSteps),
      metrics: finiteMetrics(note.metrics),
    });
    this.schedule();
  }

  noteLog(lease: LeaseRef, stream: LogStream, text: string): void {
    this.logs.add(lease, stream, text);
    this.schedule();
  }

  /** Sends what waits, as far as the bounds of one flush allow. Called when a session begins, and by its own timer. */
  flush(): void {
    this.end();
    // While disconnected nothing is tried: the next session flushes.
    if (!this.outlet.isOpen()) return;
    this.sendProgress();
    this.sendLogs('talk');
    if (this.progress.size > 0 || !this.logs.isEmpty) this.schedule();
  }

  /** The attempt ended: its last lines go before its receipt, its progress says nothing any more. */
  finish(attemptId: AttemptId): void {
    this.progress.delete(attemptId);
    if (this.logs.isEmpty) return;
    if (this.outlet.isOpen()) this.sendLogs('receipt', attemptId);
    this.logs.end(attemptId);
  }

  /** The attempt was stopped: nobody waits for what it had to say. */
  forget(attemptId: AttemptId): void {
    this.progress.delete(attemptId);
    this.logs.forget(attemptId);
  }

  /** Stops the timer; what waits is kept. */
  end(): void {
    this.cancelFlush?.();
    this.cancelFlush = null;
  }

  private schedule(): void {
    this.cancelFlush ??= this.timers.after(FLUSH_MS, () => this.flush());
  }

  private sendProgress(): void {
    for (const items of pack([...this.progress.values()], MAX_PROGRESS_IN_FRAME)) {
      if (this.outlet.waitMs('talk') > 0 || !this.outlet.send({ type: 'progress', items })) return;
      for (const { attemptId } of items) this.progress.delete(attemptId);
    }
  }

  private sendLogs(urgency: Urgency, only?: AttemptId): void {
    for (
      let frames = 0;
      frames < MAX_LOG_FRAMES && this.outlet.waitMs(urgency) === 0;
      frames += 1
    ) {
      const lines = this.logs.take(MAX_LINES_IN_FRAME, only);
      if (lines.length === 0) return;
      // Long lines may need more than one frame; that is rare enough not to be counted.
      for (const items of pack(lines, MAX_LINES_IN_FRAME))
        this.outlet.send({ type: 'logs', items });
    }
  }
}

function wholeStep(step: number): number {
  return Number.isFinite(step) ? Math.max(0, Math.trunc(step)) : 0;
}

/** A diverging loss is NaN, which JSON cannot carry: one such value would cost the whole frame. */
function finiteMetrics(metrics: Readonly<Record<string, number>>): Record<string, number> {
  const kept = Object.entries(metrics).filter(
    ([name, value]) => name.length <= 32 && Number.isFinite(value),
  );
  return Object.fromEntries(kept.slice(0, 32));
}
