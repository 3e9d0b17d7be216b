import {
  decodeBase58,
  decodeFromWorker,
  encode,
  loginText,
  Receipt,
  receiptHash,
  receiptsSigningBytes,
  TIMING,
  utf8ToBytes,
  type AttemptId,
  type FromOrchestrator,
  type FromWorker,
  type Offer,
  type SessionId,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { anId } from './builders.js';

/** A worker's end of a connection, as the orchestrator sees it. */
export interface Peer {
  send(frame: string): void;
  close(code: number, reason: string): void;
}

interface Session {
  readonly peer: Peer;
  id: SessionId | null;
  publicKey: Uint8Array;
  lastSeq: number;
}

type Of<T extends FromWorker['type']> = Extract<FromWorker, { type: T }>;

/**
 * The other side of the worker protocol, for tests: it speaks the real messages, checks signatures and sequence numbers, and keeps
 * leases and receipts in memory. What a test wants to go wrong is a member that can be set.
 */
export class FakeOrchestrator {
  /** What its challenges say; a foreign one belongs to somebody else. */
  audience = '127.0.0.1';
  network = 'testnet';
  timing = {
    heartbeatMs: TIMING.heartbeatMs,
    leaseMs: TIMING.leaseMs,
    selfStopMs: TIMING.selfStopMs,
  };
  /** Says nothing any more, though the connection stands. */
  isMute = false;
  acknowledgesReceipts = true;
  confirmsLeases = true;

  readonly token = 'session-token';
  readonly workerId = anId('worker');
  readonly frames: FromWorker[] = [];
  readonly receipts = new Map<AttemptId, Receipt>();
  /** Every text that was ever signed for an attempt. */
  readonly receiptTexts = new Map<AttemptId, Set<string>>();
  /** Number of receipts in each accepted frame of receipts. */
  readonly batches: number[] = [];
  readonly leases = new Map<AttemptId, number>();
  /** Breaches of the protocol; a test expects none. */
  readonly breaches: string[] = [];

  private readonly verify = nodeVerifier();
  private nonces = 0;
  private current: Session | null = null;

  /** A worker connected. */
  connect(peer: Peer): { frame(text: string): void; closed(): void } {
    const session: Session = { peer, id: null, publicKey: new Uint8Array(), lastSeq: 0 };
    this.nonces += 1;
    const challenge = {
      type: 'challenge' as const,
      versions: [1],
      network: this.network,
      audience: this.audience,
      nonce: `test-nonce-${this.nonces}`,
      issuedAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2026-01-01T00:01:00.000Z',
    };
    this.say(session, challenge);
    return {
      frame: (text) => this.read(session, challenge, text),
      closed: () => {
        if (this.current === session) this.current = null;
      },
    };
  }

  get isConnected(): boolean {
    return this.current !== null;
  }

  offer(...offers: Offer[]): void {
    for (const { attemptId, fence } of offers) this.leases.set(attemptId, fence);
    this.tell({ type: 'offer', offers });
  }

  /** Sends to the worker that is logged in. */
  tell(message: FromOrchestrator): void {
    if (this.current !== null) this.say(this.current, message);
  }

  /** Closes the present connection. */
  hangUp(code = 1001, reason = 'GOING_AWAY'): void {
    this.current?.peer.close(code, reason);
  }

  framesOf<T extends FromWorker['type']>(type: T): Of<T>[] {
    return this.frames.filter((frame): frame is Of<T> => frame.type === type);
  }

  private say(session: Session, message: FromOrchestrator): void {
    if (!this.isMute) session.peer.send(encode(message));
  }

  private read(
    session: Session,
    challenge: Extract<FromOrchestrator, { type: 'challenge' }>,
    text: string,
  ): void {
    const decoded = decodeFromWorker(text);
    if (!decoded.ok) {
      this.breaches.push(`${decoded.code} ${decoded.detail}`);
      return;
    }
    const { message } = decoded;
    this.frames.push(message);
    if (message.type === 'login') return this.login(session, challenge, message);
    if (message.session !== session.id) this.breaches.push(`${message.type}: foreign session`);
    if (message.seq <= session.lastSeq)
      this.breaches.push(`${message.type}: number ${message.seq} does not rise`);
    session.lastSeq = message.seq;
    this.handle(session, message);
  }

  private login(
    session: Session,
    challenge: Extract<FromOrchestrator, { type: 'challenge' }>,
    login: Of<'login'>,
  ): void {
    const publicKey = decodeBase58(login.publicKey) ?? new Uint8Array();
    const signature = decodeBase58(login.signature) ?? new Uint8Array();
    const text = loginText({ ...challenge, purpose: 'worker', publicKey: login.publicKey });
    if (login.nonce !== challenge.nonce || !this.verify(publicKey, utf8ToBytes(text), signature)) {
      session.peer.close(4401, 'UNAUTHENTICATED');
      return;
    }
    session.id = anId('session');
    session.publicKey = publicKey;
    this.current = session;
    const held = login.holding.map(({ attemptId }) => attemptId);
    this.say(session, {
      type: 'welcome',
      version: 1,
      session: session.id,
      workerId: this.workerId,
      token: this.token,
      timing: this.timing,
      kept: held.filter((attemptId) => this.leases.has(attemptId)),
      gone: held.filter((attemptId) => !this.leases.has(attemptId)),
    });
  }

  private handle(session: Session, message: Exclude<FromWorker, Of<'login'>>): void {
    if (message.type === 'heartbeat')
      this.say(session, { type: 'heartbeat.ack', seq: message.seq });
    if (message.type === 'accept' && this.confirmsLeases) {
      const ids = message.leases.map(({ attemptId }) => attemptId);
      this.say(session, {
        type: 'active',
        attempts: ids.filter((attemptId) => this.leases.has(attemptId)),
        gone: ids.filter((attemptId) => !this.leases.has(attemptId)),
      });
    }
    if (message.type === 'receipts') this.take(session, message);
  }

  private take(session: Session, { receipts, signature }: Of<'receipts'>): void {
    const hashes = receipts.map((text) => receiptHash(text, nodeSha256));
    const bytes = receiptsSigningBytes(hashes, nodeSha256);
    if (!this.verify(session.publicKey, bytes, decodeBase58(signature) ?? new Uint8Array())) {
      this.breaches.push('receipts: the signature does not verify');
      return;
    }
    this.batches.push(receipts.length);
    const acks = receipts.map((text) => {
      const receipt = Receipt.parse(JSON.parse(text));
      const status = this.receipts.has(receipt.attemptId)
        ? ('duplicate' as const)
        : ('stored' as const);
      this.receipts.set(receipt.attemptId, receipt);
      const texts = this.receiptTexts.get(receipt.attemptId) ?? new Set();
      this.receiptTexts.set(receipt.attemptId, texts.add(text));
      this.leases.delete(receipt.attemptId);
      return { attemptId: receipt.attemptId, status };
    });
    if (this.acknowledgesReceipts) this.say(session, { type: 'receipts.ack', receipts: acks });
  }
}
