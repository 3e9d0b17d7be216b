import {
  MAX_RECEIPTS_IN_BATCH,
  type AttemptId,
  type LeaseRef,
  type ReceiptAck,
  type Sha256,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import type { CancelTimer, Clock, Timers } from '../clock.js';
import type { Outlet } from '../link/connection.js';
import type { Log } from '../log.js';
import type { KeptReceipt, Outbox } from './outbox.js';
import { signBatch } from './signer.js';

/** Receipts that finish within this time share one write, one signature and one frame. */
const LINGER_MS = 3;
/** A disk that refuses is asked again after this. */
const RETRY_SAVE_MS = 1_000;
/** A receipt sent this long ago without an answer is sent again: sending twice is harmless. */
const RESEND_AFTER_MS = 10_000;

export interface DeskPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly outbox: Outbox;
  readonly signer: Signer;
  readonly sha256: Sha256;
  readonly log: Log;
}

interface Entry {
  readonly receipt: KeptReceipt;
  state: 'new' | 'saving' | 'saved';
  sentAtMs: number | null;
}

/** Takes finished receipts, has them on disk before anybody sees them, sends them in batches and keeps them until acknowledged. */
export class ReceiptDesk {
  private readonly entries = new Map<AttemptId, Entry>();
  private readonly answered: AttemptId[] = [];
  private cancelLinger: CancelTimer | null = null;
  private cancelSend: CancelTimer | null = null;
  private isSaving = false;
  private readonly whenQuiet: (() => void)[] = [];

  constructor(
    private readonly ports: DeskPorts,
    private readonly outlet: Outlet,
  ) {}

  /** Takes up what an earlier process left. */
  async open(): Promise<void> {
    for (const receipt of await this.ports.outbox.open()) {
      this.entries.set(receipt.attemptId, { receipt, state: 'saved', sentAtMs: null });
    }
  }

  report(receipt: KeptReceipt): void {
    this.entries.set(receipt.attemptId, { receipt, state: 'new', sentAtMs: null });
    if (this.inState('new').length >= MAX_RECEIPTS_IN_BATCH) this.save();
    else this.saveAfter(LINGER_MS);
  }

  /** Sends all that is on disk; called when a session begins: what the last one sent may not have arrived. */
  resendAll(): void {
    this.dropExpired();
    for (const entry of this.entries.values()) entry.sentAtMs = null;
    this.sendUnsent();
  }

  /** Sends again what has had no answer for long. */
  resendUnanswered(): void {
    const beforeMs = this.ports.clock.monotonicMs() - RESEND_AFTER_MS;
    for (const entry of this.entries.values()) {
      if (entry.sentAtMs !== null && entry.sentAtMs < beforeMs) entry.sentAtMs = null;
    }
    this.sendUnsent();
  }

  /** Whatever the answer is, it is the last word: the receipt is not sent again. */
  acknowledged(acks: readonly ReceiptAck[]): void {
    for (const { attemptId, status, code } of acks) {
      this.logAnswer(attemptId, status, code);
      if (this.entries.delete(attemptId)) this.answered.push(attemptId);
    }
    this.saveAfter(LINGER_MS);
  }

  holds(attemptId: AttemptId): boolean {
    return this.entries.has(attemptId);
  }

  /** Attempts whose receipts are not acknowledged, oldest first. */
  leases(): LeaseRef[] {
    return [...this.entries.values()].map(({ receipt: { attemptId, fence } }) => ({
      attemptId,
      fence,
    }));
  }

  get size(): number {
    return this.entries.size;
  }

  /** Resolves when everything reported so far is on disk. With a disk that refuses it does not. */
  async saved(): Promise<void> {
    if (!this.isSaving && this.inState('new').length === 0 && this.answered.length === 0) return;
    const quiet = new Promise<void>((resolve) => this.whenQuiet.push(resolve));
    this.save();
    await quiet;
  }

  /** Ends the timers and the outbox; call `saved` before. */
  async close(): Promise<void> {
    this.cancelLinger?.();
    this.cancelLinger = null;
    this.cancelSend?.();
    this.cancelSend = null;
    await this.ports.outbox.close();
  }

  private inState(state: Entry['state']): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.state === state);
  }

  private saveAfter(delayMs: number): void {
    this.cancelLinger ??= this.ports.timers.after(delayMs, () => this.save());
  }

  private save(): void {
    this.cancelLinger?.();
    this.cancelLinger = null;
    if (this.isSaving) return;
    this.isSaving = true;
    void this.saveWhatWaits().then((failure) => {
      this.isSaving = false;
      if (failure !== null) {
        this.ports.log.error({ error: failure.message, receipts: this.size }, 'receipts not saved');
        this.saveAfter(RETRY_SAVE_MS);
        return;
      }
      for (const resolve of this.whenQuiet.splice(0)) resolve();
    });
  }

  /** Writes until nothing waits: what comes in during a write shares the next one. */
  private async saveWhatWaits(): Promise<Error | null> {
    for (;;) {
      const fresh = this.inState('new');
      const answered = this.answered.slice();
      if (fresh.length === 0 && answered.length === 0) return null;
      try {
        if (answered.length > 0) {
          await this.ports.outbox.remove(answered);
          this.answered.splice(0, answered.length);
        }
        if (fresh.length > 0) await this.keep(fresh);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    }
  }

  private async keep(fresh: readonly Entry[]): Promise<void> {
    for (const entry of fresh) entry.state = 'saving';
    try {
      await this.ports.outbox.append(fresh.map(({ receipt }) => receipt));
    } catch (error) {
      for (const entry of fresh) entry.state = 'new';
      throw error;
    }
    for (const entry of fresh) entry.state = 'saved';
    this.sendUnsent();
  }

  /** Sends what is on disk and was not sent yet, as fast as frames may leave: the slower that is, the fuller they are. */
  private sendUnsent(): void {
    this.cancelSend?.();
    this.cancelSend = null;
    let unsent = this.inState('saved').filter(({ sentAtMs }) => sentAtMs === null);
    while (unsent.length > 0 && this.outlet.isOpen()) {
      const waitMs = this.outlet.waitMs('receipt');
      if (waitMs > 0) {
        this.cancelSend = this.ports.timers.after(waitMs, () => this.sendUnsent());
        return;
      }
      const sent = this.sendFirst(unsent);
      if (sent === 0) return;
      unsent = unsent.slice(sent);
    }
  }

  /** Sends as many of them as fit one frame, and says how many those were. */
  private sendFirst(unsent: readonly Entry[]): number {
    const { signer, sha256, clock } = this.ports;
    const batch = signBatch(
      unsent.map(({ receipt }) => receipt.text),
      signer,
      sha256,
    );
    if (!this.outlet.send({ type: 'receipts', ...batch })) return 0;
    const sent = unsent.slice(0, batch.receipts.length);
    for (const entry of sent) entry.sentAtMs = clock.monotonicMs();
    return sent.length;
  }

  private dropExpired(): void {
    const nowMs = this.ports.clock.wallMs();
    for (const { receipt } of this.entries.values()) {
      if (receipt.expiresAtMs > nowMs) continue;
      this.ports.log.warn({ attemptId: receipt.attemptId }, 'receipt expired');
      this.entries.delete(receipt.attemptId);
      this.answered.push(receipt.attemptId);
    }
  }

  private logAnswer(
    attemptId: AttemptId,
    status: ReceiptAck['status'],
    code: string | undefined,
  ): void {
    const fields = { attemptId, status, ...(code === undefined ? {} : { code }) };
    if (status === 'refused') this.ports.log.error(fields, 'receipt refused');
    else if (status === 'stale') this.ports.log.warn(fields, 'receipt stale');
    else this.ports.log.info(fields, 'receipt acknowledged');
  }
}
