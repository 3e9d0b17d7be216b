import {
  MAX_HELD_ATTEMPTS,
  RECEIPT_TTL_MS,
  type IsolationLevel,
  type LeaseRef,
  type Offer,
  type Sha256,
  type WorkerProfile,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import type { ArtifactStore } from './artifacts/store.js';
import type { SessionToken } from './artifacts/session-token.js';
import type { Attempt, StopReason } from './attempts/attempt.js';
import { Answers, type RefuseReason } from './attempts/answers.js';
import { Attempts, type AttemptsOwner } from './attempts/attempts.js';
import { Outflow } from './attempts/outflow.js';
import type { AttemptResult } from './attempts/result.js';
import type { Runners } from './attempts/runners.js';
import type { WorkFolders } from './attempts/work-folders.js';
import type { CancelTimer, Clock, Random, Timers } from './clock.js';
import {
  Connection,
  type ConnectionOwner,
  type FatalReason,
  type Message,
  type Welcome,
} from './link/connection.js';
import { withoutOperator, type Expected } from './link/handshake.js';
import { Heartbeat } from './link/heartbeat.js';
import type { Transport } from './link/transport.js';
import type { Log } from './log.js';
import { ReceiptDesk } from './receipts/desk.js';
import { makeReceipt, type ReceiptIdentity } from './receipts/make-receipt.js';
import type { Outbox } from './receipts/outbox.js';
import type { AgentSnapshot, Totals } from './status/snapshot.js';

export interface AgentPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly transport: Transport;
  readonly runners: Runners;
  readonly artifacts: ArtifactStore;
  /** Handed the token of each session, for the artifact store. */
  readonly token: SessionToken;
  readonly folders: WorkFolders;
  readonly outbox: Outbox;
  readonly signer: Signer;
  readonly sha256: Sha256;
  readonly log: Log;
}

export interface AgentSettings {
  readonly expected: Expected;
  readonly profile: WorkerProfile;
  readonly isolation: IsolationLevel;
  /** How long running attempts may take to finish when the agent drains to leave. */
  readonly drainGraceMs: number;
}

export interface AgentExit {
  readonly reason: 'drained' | 'stopped' | FatalReason;
  /** Receipts that are kept for the next start. */
  readonly receiptsLeft: number;
}

/** When nothing runs any more, how long an orchestrator that cannot be reached is waited for. */
const FLUSH_MS = 5_000;
/** How long attempts may take to die when the agent stops at once. */
const STOP_MS = 3_000;

/**
 * The worker's state machine: what it is told and what happens on the machine goes in, frames and receipts come out. Everything
 * outside is a port, so that it runs the same under a virtual clock.
 */
export class Agent {
  /** Resolves when the agent has left and nothing of it runs any more. */
  readonly exited: Promise<AgentExit>;

  private readonly connection: Connection;
  private readonly heartbeat: Heartbeat;
  private readonly attempts: Attempts;
  private readonly answers: Answers;
  private readonly outflow: Outflow;
  private readonly desk: ReceiptDesk;
  private readonly totals: Totals = {
    accepted: 0,
    refused: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    stopped: 0,
    billableMs: 0,
    receiptsAcknowledged: 0,
    sessions: 0,
  };
  private identity: ReceiptIdentity | null = null;
  private profile: WorkerProfile;
  private isDraining = false;
  /** The orchestrator of this session goes away; the next one gives work again. */
  private isSessionEnding = false;
  /** Set while the agent is to leave as soon as it can. */
  private leaving: { reason: AgentExit['reason']; cancelDeadline: CancelTimer } | null = null;
  private hasLeft = false;
  private resolveExit: (exit: AgentExit) => void = () => undefined;

  constructor(
    private readonly ports: AgentPorts,
    private readonly settings: AgentSettings,
  ) {
    this.profile = settings.profile;
    this.exited = new Promise((resolve) => {
      this.resolveExit = resolve;
    });
    this.connection = new Connection(ports, settings.expected, this.connectionOwner());
    this.heartbeat = new Heartbeat(ports, {
      beat: () => this.beat(),
      silent: (silentMs) => {
        // Only a session can be silent; a connection that is being made has a deadline of its own.
        if (!this.isConnected) return;
        ports.log.warn({ silentMs: Math.round(silentMs) }, 'orchestrator silent');
        this.connection.redial(1002, 'silent');
      },
      selfStop: (silentMs) => this.selfStop(silentMs),
    });
    this.outflow = new Outflow(ports.timers, this.connection);
    this.answers = new Answers(ports.timers, this.connection);
    this.attempts = new Attempts(ports, settings.profile, this.attemptsOwner());
    this.desk = new ReceiptDesk(ports, this.connection);
  }

  /** Takes up receipts of an earlier process, then connects. */
  async start(): Promise<void> {
    await this.desk.open();
    if (this.desk.size > 0) this.ports.log.info({ receipts: this.desk.size }, 'receipts taken up');
    this.connection.start();
  }

  /** Takes no new attempts, finishes those that run, sends their receipts, then leaves. */
  drain(): void {
    if (this.leaving !== null) return;
    const cancelDeadline = this.ports.timers.after(this.settings.drainGraceMs, () => {
      this.ports.log.warn({ attempts: this.attempts.size }, 'drain grace is over');
      this.attempts.stopAll('shutdown');
      this.leaveIfDone();
    });
    this.leaving = { reason: 'drained', cancelDeadline };
    this.ports.log.info({ attempts: this.attempts.size, receipts: this.desk.size }, 'draining');
    this.startDraining();
    this.leaveIfDone();
  }

  /** Asks another price from now on; leases that were offered keep theirs. */
  reprice(asks: WorkerProfile['asks']): void {
    this.profile = { ...this.profile, asks };
    this.ports.log.info({ asks }, 'price changed');
    // The operator is taken from the login only, and an orchestrator of version 1 does not know the member.
    this.connection.send({ type: 'profile', profile: withoutOperator(this.profile) });
  }

  /** Stops every attempt without a receipt and leaves. */
  stop(reason: AgentExit['reason'] = 'stopped'): void {
    if (this.hasLeft) return;
    this.leaving?.cancelDeadline();
    this.isDraining = true;
    this.leaving = { reason, cancelDeadline: this.ports.timers.after(STOP_MS, () => this.leave()) };
    this.attempts.stopAll('shutdown');
    if (this.attempts.isIdle) this.leave();
  }

  snapshot(): AgentSnapshot {
    const { profile, isolation } = this.settings;
    const free = this.attempts.free;
    return {
      state: this.hasLeft
        ? 'stopped'
        : this.isDraining || this.isSessionEnding
          ? 'draining'
          : this.isConnected
            ? 'online'
            : 'connecting',
      isConnected: this.isConnected,
      workerId: this.identity?.workerId ?? null,
      session: this.connection.sessionId,
      publicKey: this.ports.signer.address,
      name: profile.name,
      isolation,
      attempts: this.attempts.views(),
      outbox: this.desk.size,
      lastAcknowledgementMs: this.heartbeat.silentMs(),
      slots: { offered: profile.slots, free: free.slots },
      resources: { offered: profile.resources, free: free.resources },
      totals: { ...this.totals },
    };
  }

  private get isConnected(): boolean {
    return this.connection.state === 'online';
  }

  private connectionOwner(): ConnectionOwner {
    return {
      profile: () => this.profile,
      holding: () => this.holding(),
      hasWork: () => this.attempts.size > 0,
      welcomed: (welcome, network) => this.welcomed(welcome, network),
      received: (message) => this.received(message),
      lost: () => {
        this.isSessionEnding = false;
        this.heartbeat.pause();
        this.answers.drop();
        this.ports.token.clear();
      },
      gaveUp: (reason) => {
        this.ports.log.error({ reason }, 'giving up');
        this.stop(reason);
      },
    };
  }

  private attemptsOwner(): AttemptsOwner {
    return {
      progress: (lease, note) => this.outflow.noteProgress(lease, note),
      log: (lease, stream, text) => this.outflow.noteLog(lease, stream, text),
      checkpoint: (lease, note) => {
        this.ports.log.info({ attemptId: lease.attemptId, ...note }, 'checkpoint stored');
        // Unsent it is not kept: the receipt names the checkpoint too.
        this.connection.send({ type: 'checkpoint', items: [{ ...lease, ...note }] });
      },
      finished: (attempt, result) => this.report(attempt, result),
      stopped: (attempt, reason) => this.recordStop(attempt, reason),
      idle: () => this.leaveIfDone(),
    };
  }

  private welcomed(welcome: Welcome, network: string): void {
    const isFirst = this.identity === null;
    const { session, workerId, timing, token, kept } = welcome;
    this.identity = { network, audience: this.settings.expected.audience, workerId };
    this.totals.sessions += 1;
    this.heartbeat.begin(timing);
    this.ports.token.set(token);
    this.attempts.confirm(kept);
    this.attempts.stop(without(this.attempts.leases(), kept), 'gone');
    this.ports.log.info(
      {
        workerId,
        session,
        network,
        kept: kept.length,
        gone: welcome.gone.length,
        receipts: this.desk.size,
      },
      isFirst ? 'joined' : 'rejoined',
    );
    if (this.isDraining) this.connection.send({ type: 'drain' });
    this.outflow.flush();
    this.desk.resendAll();
  }

  private received(message: Message): void {
    this.heartbeat.heard();
    switch (message.type) {
      case 'heartbeat.ack':
        return;
      case 'offer':
        return this.decide(message.offers);
      case 'active':
        this.attempts.confirm(message.attempts);
        return this.attempts.stop(message.gone, 'gone');
      case 'cancel':
        return this.attempts.stop(message.attempts, message.reason);
      case 'receipts.ack':
        this.totals.receiptsAcknowledged += message.receipts.length;
        this.desk.acknowledged(message.receipts);
        return this.leaveIfDone();
      case 'drain':
        return this.sessionEnds();
    }
  }

  private decide(offers: readonly Offer[]): void {
    for (const offer of offers) {
      const lease = { attemptId: offer.attemptId, fence: offer.fence };
      const decision = this.consider(offer);
      if (decision.kind === 'taken') this.accept(decision.attempt);
      else if (decision.kind === 'refused') this.refuse(lease, decision.reason);
      else this.answers.accept({ lease, sent: () => undefined, lost: () => undefined });
    }
    this.answers.send();
  }

  private consider(
    offer: Offer,
  ): ReturnType<Attempts['consider']> | { kind: 'refused'; reason: 'draining' } {
    if (this.desk.holds(offer.attemptId)) return { kind: 'held' };
    if (this.isDraining || this.isSessionEnding) return { kind: 'refused', reason: 'draining' };
    // A list of everything held must fit one frame, and an unacknowledged receipt is held too.
    if (this.attempts.size + this.desk.size >= MAX_HELD_ATTEMPTS)
      return { kind: 'refused', reason: 'busy' };
    return this.attempts.consider(offer);
  }

  private accept(attempt: Attempt): void {
    const { attemptId, jobId, taskId, fence } = attempt.offer;
    this.answers.accept({
      lease: attempt.lease,
      sent: () => {
        this.totals.accepted += 1;
        this.ports.log.info(
          { attemptId, jobId, taskId, fence, runtime: attempt.payload.runtime },
          'attempt accepted',
        );
        this.attempts.begin(attempt);
      },
      lost: () => this.attempts.putBack(attempt),
    });
  }

  private refuse(lease: LeaseRef, reason: RefuseReason): void {
    this.totals.refused += 1;
    this.ports.log.info({ attemptId: lease.attemptId, reason }, 'offer refused');
    this.answers.refuse(lease, reason);
  }

  private report(attempt: Attempt, result: AttemptResult): void {
    const { identity, ports } = this;
    // An attempt comes from an offer, and an offer comes in a session.
    if (identity === null) throw new Error('an attempt ended before any session');
    const billableMs = attempt.meter.elapsedMs();
    const nowMs = ports.clock.wallMs();
    const receipt = makeReceipt(
      identity,
      attempt.offer,
      result,
      { billableMs, nowMs },
      ports.sha256,
    );

    this.totals[receipt.outcome] += 1;
    this.totals.billableMs += billableMs;
    ports.log.info(
      {
        attemptId: attempt.lease.attemptId,
        outcome: receipt.outcome,
        billableMs,
        failure: receipt.failure,
      },
      'attempt finished',
    );
    this.outflow.finish(attempt.lease.attemptId);
    this.desk.report({ ...attempt.lease, text: receipt.text, expiresAtMs: nowMs + RECEIPT_TTL_MS });
  }

  private recordStop(attempt: Attempt, reason: StopReason): void {
    const { attemptId } = attempt.lease;
    if (reason === 'silence' || reason === 'shutdown') this.totals.stopped += 1;
    else this.totals.cancelled += 1;
    this.outflow.forget(attemptId);
    this.ports.log.warn(
      { attemptId, reason, elapsedMs: attempt.meter.elapsedMs() },
      'attempt stopped',
    );
  }

  private beat(): void {
    const attempts = this.holding().map(({ attemptId }) => attemptId);
    this.connection.send({ type: 'heartbeat', attempts });
    this.desk.resendUnanswered();
  }

  private selfStop(silentMs: number): void {
    const attempts = this.attempts.stopAll('silence');
    const fields = { silentMs: Math.round(silentMs), attempts };
    if (attempts > 0) this.ports.log.error(fields, 'stopped by silence');
    else this.ports.log.debug(fields, 'stopped by silence');
  }

  /** Attempts first: a receipt that does not fit the list is still sent, an attempt that does not would be lost. */
  private holding(): LeaseRef[] {
    return [...this.attempts.leases(), ...this.desk.leases()].slice(0, MAX_HELD_ATTEMPTS);
  }

  /** Sends what is ready while somebody is there to take it; what runs goes on and is reported to the next orchestrator. */
  private sessionEnds(): void {
    this.ports.log.info({ attempts: this.attempts.size }, 'the orchestrator goes away');
    this.isSessionEnding = true;
    this.outflow.flush();
    this.desk.resendUnanswered();
  }

  private startDraining(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.connection.send({ type: 'drain' });
  }

  /** Leaves when there is nothing left to do; waits a little for an orchestrator that has receipts to acknowledge. */
  private leaveIfDone(): void {
    const { leaving } = this;
    if (leaving === null || this.hasLeft || !this.attempts.isIdle) return;
    if (this.desk.size === 0 || leaving.reason !== 'drained') return this.leave();
    leaving.cancelDeadline();
    leaving.cancelDeadline = this.ports.timers.after(FLUSH_MS, () => this.leave());
  }

  private leave(): void {
    if (this.hasLeft || this.leaving === null) return;
    this.hasLeft = true;
    const { reason, cancelDeadline } = this.leaving;
    cancelDeadline();
    this.heartbeat.end();
    this.outflow.end();
    this.answers.drop();
    void this.closeDesk().then(() => {
      this.connection.stop();
      this.ports.token.clear();
      this.ports.log.info({ reason, receiptsLeft: this.desk.size }, 'left');
      this.resolveExit({ reason, receiptsLeft: this.desk.size });
    });
  }

  /** Has every receipt on disk; a disk that refuses is not waited for longer than a stop may take. */
  private async closeDesk(): Promise<void> {
    let cancel: CancelTimer = () => undefined;
    const deadline = new Promise<void>((resolve) => {
      cancel = this.ports.timers.after(STOP_MS, resolve);
    });
    await Promise.race([this.desk.saved(), deadline]);
    cancel();
    await this.desk.close();
  }
}

function without(
  leases: readonly LeaseRef[],
  kept: readonly LeaseRef['attemptId'][],
): LeaseRef['attemptId'][] {
  const known = new Set(kept);
  return leases.map(({ attemptId }) => attemptId).filter((attemptId) => !known.has(attemptId));
}
