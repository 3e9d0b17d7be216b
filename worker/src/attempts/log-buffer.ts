import type { AttemptId, LeaseRef } from '@tidemill/protocol';
import { plainText } from '../plain-text.js';

export type LogStream = 'out' | 'err';

export interface LogLine extends LeaseRef {
  line: number;
  stream: LogStream;
  text: string;
}

export interface LogBounds {
  /** Lines kept of one attempt. */
  readonly perAttempt: number;
  /** Lines kept of all together: 16 MiB of the longest ones. */
  readonly total: number;
}

/** Longest line that a frame takes. */
const MAX_TEXT = 4_096;

interface Buffered {
  readonly lease: LeaseRef;
  nextLine: number;
  lines: LogLine[];
  dropped: number;
  hasEnded: boolean;
}

/**
 * The last log lines of each attempt, waiting to be sent. When more come than can leave, the oldest go, and what is sent instead
 * says how many: a log with a gap is better than a worker that runs out of memory.
 */
export class LogBuffer {
  private readonly attempts = new Map<AttemptId, Buffered>();
  private waiting = 0;

  constructor(private readonly bounds: LogBounds = { perAttempt: 500, total: 4_000 }) {}

  add(lease: LeaseRef, stream: LogStream, text: string): void {
    const buffered = this.of(lease);
    buffered.lines.push({
      ...lease,
      line: buffered.nextLine,
      stream,
      text: plainText(text, MAX_TEXT),
    });
    buffered.nextLine += 1;
    this.waiting += 1;
    if (buffered.lines.length > this.bounds.perAttempt) this.dropOldest(buffered);
    else if (this.waiting > this.bounds.total) this.dropOldest(this.longest());
  }

  get isEmpty(): boolean {
    return this.waiting === 0;
  }

  /** Takes about `limit` lines, attempt by attempt, oldest first; of one attempt only when it is named. */
  take(limit: number, only?: AttemptId): LogLine[] {
    const taken: LogLine[] = [];
    for (const [attemptId, buffered] of this.attempts) {
      if (taken.length >= limit) break;
      if (only !== undefined && only !== attemptId) continue;
      if (buffered.dropped > 0) taken.push(gapLine(buffered));
      const lines = buffered.lines.splice(0, limit - taken.length);
      this.waiting -= lines.length;
      taken.push(...lines);
      if (buffered.hasEnded && buffered.lines.length === 0) this.attempts.delete(attemptId);
    }
    return taken;
  }

  /** No more lines will come of it; what waits is still to be sent. */
  end(attemptId: AttemptId): void {
    const buffered = this.attempts.get(attemptId);
    if (buffered === undefined) return;
    if (buffered.lines.length === 0) this.attempts.delete(attemptId);
    else buffered.hasEnded = true;
  }

  forget(attemptId: AttemptId): void {
    this.waiting -= this.attempts.get(attemptId)?.lines.length ?? 0;
    this.attempts.delete(attemptId);
  }

  private of(lease: LeaseRef): Buffered {
    let buffered = this.attempts.get(lease.attemptId);
    if (buffered === undefined) {
      buffered = { lease, nextLine: 0, lines: [], dropped: 0, hasEnded: false };
      this.attempts.set(lease.attemptId, buffered);
    }
    return buffered;
  }

  private dropOldest(buffered: Buffered): void {
    buffered.lines.shift();
    buffered.dropped += 1;
    this.waiting -= 1;
  }

  /** The one that talks most gives way, so that one attempt cannot silence the others. */
  private longest(): Buffered {
    return [...this.attempts.values()].reduce((a, b) => (b.lines.length > a.lines.length ? b : a));
  }
}

/** Says how many lines are missing, under the number of the last of them, so numbers stay unique and in order. */
function gapLine(buffered: Buffered): LogLine {
  const first = buffered.lines[0]?.line ?? buffered.nextLine;
  const text = `[tidemill] ${buffered.dropped} lines dropped: they came faster than they could be sent`;
  buffered.dropped = 0;
  return { ...buffered.lease, line: first - 1, stream: 'err', text };
}
