import {
  parseJson,
  TaskPayload,
  type AttemptId,
  type LeaseRef,
  type Offer,
  type Resources,
} from '@tidemill/protocol';
import type { Clock, Timers } from '../clock.js';
import type { Log } from '../log.js';
import type { AttemptView } from '../status/snapshot.js';
import { Attempt, StoppedError, TimeLimitError, type StopReason } from './attempt.js';
import { failed, perform, type PerformPorts, type Watch } from './perform.js';
import { Meter } from '../receipts/meter.js';
import { Reservations } from './reservations.js';
import type { AttemptResult } from './result.js';

/** How long a finished attempt waits for the word that its lease became active before its receipt goes anyway. */
const CONFIRM_MS = 2_000;
/** A runtime that was told to stop and has not after this is reported. */
const STOP_WARNING_MS = 10_000;

export type Consideration =
  | { readonly kind: 'taken'; readonly attempt: Attempt }
  /** Offered again: it is held already. */
  | { readonly kind: 'held' }
  | { readonly kind: 'refused'; readonly reason: 'busy' | 'unable' };

export interface AttemptsPorts extends PerformPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** Who is told what becomes of attempts. */
export interface AttemptsOwner extends Omit<Watch, 'phase'> {
  /** It ended by itself, its lease is active, and it is not held any more: now its receipt is due. */
  finished(attempt: Attempt, result: AttemptResult): void;
  /** It ended without a receipt. */
  stopped(attempt: Attempt, reason: StopReason): void;
  /** Nothing runs, and nothing is being stopped. */
  idle(): void;
}

/** The attempts on this machine: takes them within what is lent, runs them, and stops them. */
export class Attempts {
  private readonly held = new Map<AttemptId, Attempt>();
  private readonly stopping = new Set<Attempt>();
  private readonly reservations: Reservations;

  constructor(
    private readonly ports: AttemptsPorts,
    lent: { readonly resources: Resources; readonly slots: number },
    private readonly owner: AttemptsOwner,
  ) {
    this.reservations = new Reservations(lent.resources, lent.slots);
  }

  /** Takes the offer's resources, or says why not. What is taken must be begun or put back. */
  consider(offer: Offer): Consideration {
    const known = this.held.get(offer.attemptId);
    if (known !== undefined) {
      return known.offer.fence === offer.fence
        ? { kind: 'held' }
        : { kind: 'refused', reason: 'busy' };
    }
    const payload = payloadOf(offer);
    if (
      payload === null ||
      this.ports.runners.find(payload.runtime) === undefined ||
      !this.reservations.couldFit(offer.needs)
    ) {
      return { kind: 'refused', reason: 'unable' };
    }
    if (!this.reservations.take(offer.needs)) return { kind: 'refused', reason: 'busy' };
    const attempt = new Attempt(offer, payload, this.ports.clock);
    this.held.set(offer.attemptId, attempt);
    return { kind: 'taken', attempt };
  }

  /** Undoes a consideration whose acceptance could not be sent. */
  putBack(attempt: Attempt): void {
    if (!this.isHeld(attempt)) return;
    this.held.delete(attempt.lease.attemptId);
    this.reservations.release(attempt.offer.needs);
  }

  /** Runs it. What was stopped since it was considered is not begun: the orchestrator will not count it as ours. */
  begin(attempt: Attempt): void {
    if (!this.isHeld(attempt)) return;
    attempt.hasBegun = true;
    attempt.meter = new Meter(this.ports.clock);
    const limitMs = attempt.offer.maxDurationMs;
    const cancelLimit = this.ports.timers.after(limitMs, () =>
      attempt.controller.abort(new TimeLimitError(limitMs)),
    );
    void perform(attempt, this.ports, this.watchOf(attempt))
      .catch((error: unknown) => this.failureOf(attempt, error))
      .then((result) => {
        cancelLimit();
        this.ended(attempt, result);
      });
  }

  /** The orchestrator counts these as ours. */
  confirm(attemptIds: readonly AttemptId[]): void {
    for (const attemptId of attemptIds) {
      const attempt = this.held.get(attemptId);
      if (attempt === undefined) continue;
      attempt.isConfirmed = true;
      if (attempt.result !== null) this.finish(attempt, attempt.result);
    }
  }

  /** Stops those of them that are held; they are forgotten at once, their resources come back when they have ended. */
  stop(attemptIds: readonly AttemptId[], reason: StopReason): void {
    for (const attemptId of attemptIds) {
      const attempt = this.held.get(attemptId);
      if (attempt === undefined) continue;
      attempt.cancelWait();
      this.held.delete(attemptId);
      this.owner.stopped(attempt, reason);
      if (!attempt.hasBegun) this.reservations.release(attempt.offer.needs);
      else if (attempt.result === null) this.halt(attempt, reason);
    }
    this.tellIfIdle();
  }

  /** Stops everything and says how many that were. */
  stopAll(reason: StopReason): number {
    const all = [...this.held.keys()];
    this.stop(all, reason);
    return all.length;
  }

  leases(): LeaseRef[] {
    return [...this.held.values()].map(({ lease }) => lease);
  }

  views(): AttemptView[] {
    return [...this.held.values(), ...this.stopping].map((attempt) => attempt.view());
  }

  get size(): number {
    return this.held.size;
  }

  get isIdle(): boolean {
    return this.held.size === 0 && this.stopping.size === 0;
  }

  get free(): { readonly resources: Resources; readonly slots: number } {
    return { resources: this.reservations.free, slots: this.reservations.freeSlots };
  }

  /** What an attempt says counts only as long as it is held. */
  private watchOf(attempt: Attempt): Watch {
    return {
      phase: (phase) => {
        if (attempt.phase !== 'stopping') attempt.phase = phase;
      },
      progress: (lease, note) => {
        attempt.progress = { step: note.step, totalSteps: note.totalSteps };
        if (this.isHeld(attempt)) this.owner.progress(lease, note);
      },
      log: (lease, stream, text) => {
        if (this.isHeld(attempt)) this.owner.log(lease, stream, text);
      },
      checkpoint: (lease, note) => {
        if (this.isHeld(attempt)) this.owner.checkpoint(lease, note);
      },
    };
  }

  private isHeld(attempt: Attempt): boolean {
    return this.held.get(attempt.lease.attemptId) === attempt;
  }

  private halt(attempt: Attempt, reason: StopReason): void {
    attempt.phase = 'stopping';
    this.stopping.add(attempt);
    attempt.controller.abort(new StoppedError(reason));
    const { attemptId } = attempt.lease;
    attempt.cancelWait = this.ports.timers.after(STOP_WARNING_MS, () =>
      this.ports.log.error({ attemptId }, 'attempt does not stop'),
    );
  }

  private ended(attempt: Attempt, result: AttemptResult): void {
    attempt.meter.end();
    attempt.cancelWait();
    this.reservations.release(attempt.offer.needs);
    if (this.stopping.delete(attempt)) return this.tellIfIdle();

    attempt.phase = 'ended';
    attempt.result = result;
    if (attempt.isConfirmed) return this.finish(attempt, result);
    // A receipt that overtakes the acceptance of its lease would be taken for a stale one.
    attempt.cancelWait = this.ports.timers.after(CONFIRM_MS, () => this.finish(attempt, result));
  }

  private finish(attempt: Attempt, result: AttemptResult): void {
    attempt.cancelWait();
    this.held.delete(attempt.lease.attemptId);
    this.owner.finished(attempt, result);
    this.tellIfIdle();
  }

  private tellIfIdle(): void {
    if (this.isIdle) this.owner.idle();
  }

  private failureOf(attempt: Attempt, error: unknown): AttemptResult {
    const runtimeClass =
      this.ports.runners.find(attempt.payload.runtime)?.offer.runtimeClass ?? 'none';
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof TimeLimitError)
      return failed(runtimeClass, { code: 'TIMEOUT', message, fault: 'job' });
    if (!(error instanceof StoppedError)) {
      this.ports.log.error(
        { attemptId: attempt.lease.attemptId, error: message },
        'attempt broke down',
      );
    }
    return failed(runtimeClass, { code: 'WORKER_FAILED', message, fault: 'worker' });
  }
}

/** What the offer asks for; null when it is not something this software understands. */
function payloadOf({ payload }: Offer): TaskPayload | null {
  const json = parseJson(payload, payload.length);
  if (!json.ok) return null;
  const parsed = TaskPayload.safeParse(json.value);
  return parsed.success ? parsed.data : null;
}
