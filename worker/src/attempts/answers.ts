import type { LeaseRef } from '@tidemill/protocol';
import type { CancelTimer, Timers } from '../clock.js';
import type { Outgoing, Outlet } from '../link/connection.js';

export type RefuseReason = Extract<Outgoing, { type: 'refuse' }>['reason'];

/** An acceptance that waits to be sent. */
export interface Acceptance {
  readonly lease: LeaseRef;
  /** It was sent: the attempt may begin. */
  readonly sent: () => void;
  /** The session ended before; nobody will know of it. */
  readonly lost: () => void;
}

/** Answers to offers, sent as lists: at once while frames may leave, and all that has gathered in one when they may again. */
export class Answers {
  private readonly accepted: Acceptance[] = [];
  private readonly refused = new Map<RefuseReason, LeaseRef[]>();
  private cancelSend: CancelTimer | null = null;

  constructor(
    private readonly timers: Timers,
    private readonly outlet: Outlet,
  ) {}

  accept(acceptance: Acceptance): void {
    this.accepted.push(acceptance);
  }

  refuse(lease: LeaseRef, reason: RefuseReason): void {
    this.refused.set(reason, [...(this.refused.get(reason) ?? []), lease]);
  }

  /** Sends what waits, or sees to it that it will be sent. Call it when a frame of offers was looked at. */
  send(): void {
    this.cancelTimer();
    if (this.accepted.length === 0 && this.refused.size === 0) return;
    const waitMs = this.outlet.waitMs('answer');
    if (waitMs > 0) {
      this.cancelSend = this.timers.after(waitMs, () => this.send());
      return;
    }
    this.sendAccepted();
    for (const [reason, leases] of this.refused)
      this.outlet.send({ type: 'refuse', leases, reason });
    this.refused.clear();
  }

  /** The session is over: what was not sent is void. */
  drop(): void {
    this.cancelTimer();
    this.refused.clear();
    for (const { lost } of this.accepted.splice(0)) lost();
  }

  private sendAccepted(): void {
    const accepted = this.accepted.splice(0);
    if (accepted.length === 0) return;
    const isSent = this.outlet.send({ type: 'accept', leases: accepted.map(({ lease }) => lease) });
    for (const { sent, lost } of accepted) {
      if (isSent) sent();
      else lost();
    }
  }

  private cancelTimer(): void {
    this.cancelSend?.();
    this.cancelSend = null;
  }
}
