import {
  CLOSE,
  decodeFromOrchestrator,
  encode,
  TIMING,
  type FromOrchestrator,
  type FromWorker,
  type LeaseRef,
  type SessionId,
  type WorkerProfile,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import type { CancelTimer, Clock, Random, Timers } from '../clock.js';
import type { Log } from '../log.js';
import { answerChallenge, type Challenge, type Expected } from './handshake.js';
import { Pacer, type Urgency } from './pacer.js';
import { Backoff } from './reconnect.js';
import type { Link, Transport } from './transport.js';

export type Welcome = Extract<FromOrchestrator, { type: 'welcome' }>;
export type Message = Exclude<FromOrchestrator, { type: 'challenge' | 'welcome' }>;

type WithoutSession<T> = T extends { session: SessionId } ? Omit<T, 'session' | 'seq'> : never;
/** What the agent says in a session; the connection adds the session and the number. */
export type Outgoing = WithoutSession<FromWorker>;

export type ConnectionState = 'waiting' | 'connecting' | 'online' | 'stopped';

/** Why a connection ended for good: trying again would do harm or be in vain. */
export type FatalReason = 'replaced' | 'version_mismatch';

/** Who uses the connection. */
export interface ConnectionOwner {
  profile(): WorkerProfile;
  /** Attempts worked on, and those whose receipts are not acknowledged. */
  holding(): LeaseRef[];
  /** Whether attempts run that stop by themselves unless the orchestrator is found again soon. */
  hasWork(): boolean;
  welcomed(welcome: Welcome, network: string): void;
  received(message: Message): void;
  /** The session is over; another connection is tried by itself. */
  lost(): void;
  gaveUp(reason: FatalReason): void;
}

export interface ConnectionPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly signer: Signer;
  readonly log: Log;
}

/** Where frames leave. */
export interface Outlet {
  /** Whether a session is open. */
  isOpen(): boolean;
  /** How long such a frame should still wait; 0: it may go now. */
  waitMs(urgency: Urgency): number;
  /** False when nothing could be sent. */
  send(message: Outgoing): boolean;
}

/** Above this the network is slower than we are, and what can wait does. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const SLOW_NETWORK_WAIT_MS = 250;
/**
 * A worker is replaced when its key logs in elsewhere. Once it may be a socket of its own that it has given up and the orchestrator
 * has not; so often within a minute another agent has the same key.
 */
const MAX_REPLACED = 5;
const REPLACED_WITHIN_MS = 60_000;

/** The lasting connection: dials, logs in, numbers the frames of a session, and dials again after a break. */
export class Connection implements Outlet {
  private current: ConnectionState = 'stopped';
  private link: Link | null = null;
  private session: { readonly id: SessionId; seq: number } | null = null;
  private challenge: Challenge | null = null;
  private cancelTimer: CancelTimer | null = null;
  private pacer: Pacer;
  private replacedAtMs: number[] = [];
  private readonly backoff: Backoff;

  constructor(
    private readonly ports: ConnectionPorts,
    private readonly expected: Expected,
    private readonly owner: ConnectionOwner,
  ) {
    this.backoff = new Backoff(ports.random);
    this.pacer = new Pacer(ports.clock);
  }

  get state(): ConnectionState {
    return this.current;
  }

  get sessionId(): SessionId | null {
    return this.session?.id ?? null;
  }

  start(): void {
    if (this.current === 'stopped') this.dial();
  }

  /** Closes for good. */
  stop(): void {
    const { link } = this;
    this.forget('stopped');
    link?.close(1000, 'done');
  }

  /** Sends one frame of the session; false when there is none, and then nothing was sent. */
  send(message: Outgoing): boolean {
    if (this.session === null || this.link === null) return false;
    const seq = this.session.seq + 1;
    // The spread of a union is not seen as the union it came from.
    const frame = { ...message, session: this.session.id, seq } as FromWorker;
    if (!this.link.send(encode(frame))) return false;
    this.session.seq = seq;
    this.pacer.spend();
    return true;
  }

  isOpen(): boolean {
    return this.session !== null;
  }

  waitMs(urgency: Urgency): number {
    const isSlow = (this.link?.bufferedBytes() ?? 0) > MAX_BUFFERED_BYTES;
    return Math.max(this.pacer.waitMs(urgency), isSlow ? SLOW_NETWORK_WAIT_MS : 0);
  }

  /** Gives up the present connection and dials again. */
  redial(code: number, reason: string): void {
    const { link } = this;
    if (link === null) return;
    this.ended(code, reason);
    link.close(code, reason);
  }

  private dial(): void {
    this.current = 'connecting';
    // Events of a link that was given up are not ours any more.
    const isCurrent = (): boolean => this.link === link;
    const link = this.ports.transport.open({
      opened: () => undefined,
      frame: (text) => {
        if (isCurrent()) this.read(text);
      },
      closed: (code, reason) => {
        if (isCurrent()) this.ended(code, reason);
      },
    });
    this.link = link;
    this.cancelTimer = this.ports.timers.after(TIMING.loginMs, () =>
      this.redial(1002, 'no welcome'),
    );
  }

  private read(text: string): void {
    const decoded = decodeFromOrchestrator(text);
    if (!decoded.ok) {
      this.ports.log.error({ code: decoded.code, detail: decoded.detail }, 'frame refused');
      this.redial(CLOSE.badFrame.code, CLOSE.badFrame.reason);
      return;
    }
    const { message } = decoded;
    if (message.type === 'challenge') this.answer(message);
    else if (message.type === 'welcome') this.enter(message);
    else if (this.session === null) this.redial(1002, 'not logged in');
    else this.owner.received(message);
  }

  private answer(challenge: Challenge): void {
    // One signature a connection: a second challenge has no honest purpose.
    if (this.challenge !== null) return this.redial(1002, 'second challenge');
    const { owner, ports } = this;
    const says = { profile: owner.profile(), holding: owner.holding() };
    const answer = answerChallenge(challenge, this.expected, ports.signer, says);
    if (answer.ok) {
      this.challenge = challenge;
      this.link?.send(encode(answer.login));
      return;
    }
    ports.log.error({ reason: answer.reason, detail: answer.detail }, 'challenge refused');
    if (answer.reason === 'version_mismatch') this.giveUp('version_mismatch');
    else this.redial(1002, answer.reason);
  }

  private enter(welcome: Welcome): void {
    if (this.challenge === null || this.session !== null)
      return this.redial(1002, 'unasked welcome');
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.session = { id: welcome.session, seq: 0 };
    // The allowance is the socket's, not the worker's.
    this.pacer = new Pacer(this.ports.clock);
    this.current = 'online';
    this.backoff.reset();
    this.owner.welcomed(welcome, this.challenge.network);
  }

  private ended(code: number, reason: string): void {
    const wasOnline = this.session !== null;
    this.forget('waiting');
    if (code === CLOSE.replaced.code && this.isReplacedTooOften()) return this.giveUp('replaced');
    if (code === CLOSE.versionMismatch.code) return this.giveUp('version_mismatch');

    const delayMs = this.backoff.nextDelayMs(this.owner.hasWork());
    this.ports.log.warn(
      { code, reason, retryInMs: delayMs },
      wasOnline ? 'disconnected' : 'not connected',
    );
    this.cancelTimer = this.ports.timers.after(delayMs, () => this.dial());
    if (wasOnline) this.owner.lost();
  }

  private isReplacedTooOften(): boolean {
    const nowMs = this.ports.clock.monotonicMs();
    this.replacedAtMs = [
      ...this.replacedAtMs.filter((ms) => nowMs - ms < REPLACED_WITHIN_MS),
      nowMs,
    ];
    return this.replacedAtMs.length >= MAX_REPLACED;
  }

  private giveUp(reason: FatalReason): void {
    this.stop();
    this.owner.gaveUp(reason);
  }

  private forget(next: 'waiting' | 'stopped'): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.link = null;
    this.session = null;
    this.challenge = null;
    this.current = next;
  }
}
