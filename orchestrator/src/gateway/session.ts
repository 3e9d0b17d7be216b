import {
  CLOSE,
  encode,
  type AttemptId,
  type FromOrchestrator,
  type SessionId,
  type WorkerId,
} from '@tidemill/protocol';
import type { WebSocket } from 'ws';
import { faultPoint, type FaultPoint } from '../platform/fault-points.js';

/** Frames a socket may send a second, and at once (G20). */
const FRAMES_PER_SECOND = 20;
const BURST = 60;
/** A worker that does not read has at most this much waiting for it. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** A peer that was told to go and does not close its side by then is cut off. */
const CLOSE_WITHIN_MS = 2_000;

/** Frames that answer or ask for something; a sign of life carries nothing that could be lost. */
const SEND_POINTS: Partial<
  Record<FromOrchestrator['type'], { readonly before: FaultPoint; readonly after: FaultPoint }>
> = {
  challenge: { before: 'gateway.challenge.before-send', after: 'gateway.challenge.after-send' },
  welcome: { before: 'gateway.welcome.before-send', after: 'gateway.welcome.after-send' },
  offer: { before: 'gateway.offer.before-send', after: 'gateway.offer.after-send' },
  active: { before: 'gateway.active.before-send', after: 'gateway.active.after-send' },
  'receipts.ack': {
    before: 'gateway.receipts.ack.before-send',
    after: 'gateway.receipts.ack.after-send',
  },
  cancel: { before: 'gateway.cancel.before-send', after: 'gateway.cancel.after-send' },
};

/** One socket of a worker, before and after its login. */
export class Session {
  workerId: WorkerId | null = null;
  publicKey: Uint8Array | null = null;
  lastSeq = -1;
  lastHeardMs: number;
  /** When the worker's term was renewed last. */
  renewedMs = -Infinity;
  /** Leases offered on this socket and not taken yet, with their fences. */
  readonly offered = new Map<AttemptId, number>();
  /** Attempts that are active here, and how many heartbeats in a row did not name them. */
  readonly active = new Map<AttemptId, number>();
  private tokens = BURST;
  private last: Promise<void> = Promise.resolve();
  private filledMs: number;

  constructor(
    readonly id: SessionId,
    readonly socket: WebSocket,
    /** Where its frames come from, as it is counted. */
    readonly network: string,
    nowMs: number,
  ) {
    this.lastHeardMs = nowMs;
    this.filledMs = nowMs;
  }

  /** Takes one frame from the allowance; false when it is used up. */
  takeFrame(nowMs: number): boolean {
    this.tokens = Math.min(
      BURST,
      this.tokens + ((nowMs - this.filledMs) / 1_000) * FRAMES_PER_SECOND,
    );
    this.filledMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Does one after another what has to be done in the order in which the worker said it. A failure ends only its own work. */
  inOrder(work: () => Promise<void>): Promise<void> {
    const mine = this.last.then(work);
    this.last = mine.catch(() => undefined);
    return mine;
  }

  /** Settles when what was begun in order so far is done. */
  get soFar(): Promise<void> {
    return this.last;
  }

  /** Sends, unless the socket is closed; a peer that reads too slowly is sent away instead, and false returned. */
  send(message: FromOrchestrator): boolean {
    const points = SEND_POINTS[message.type];
    if (points !== undefined) faultPoint(points.before);
    const isSent = this.sendText(encode(message));
    if (points !== undefined) faultPoint(points.after);
    return isSent;
  }

  sendText(frame: string): boolean {
    if (this.socket.readyState !== this.socket.OPEN) return true;
    if (this.socket.bufferedAmount > MAX_WAITING_BYTES) {
      this.close(CLOSE.tooSlow);
      return false;
    }
    this.socket.send(frame);
    return true;
  }

  close(why: (typeof CLOSE)[keyof typeof CLOSE]): void {
    closeSocket(this.socket, why);
  }
}

/** Closes a socket in a few seconds, whether or not its peer reads, answers or leaves. */
export function closeSocket(
  socket: WebSocket,
  { code, reason }: (typeof CLOSE)[keyof typeof CLOSE],
  advice?: string,
): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, advice === undefined ? reason : `${reason}: ${advice}`);
  setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS).unref();
}
