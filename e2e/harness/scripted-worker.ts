import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttemptId,
  type FromOrchestrator,
  type FromWorker,
  type LeaseRef,
  type Offer,
  type Receipt,
  type ReceiptAck,
  type SignedReceipts,
  TIMING,
  type WorkerProfile,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { NETWORK, type Door } from './orchestrator.js';
import { honestReceipt, RUNTIME_CLASS, signed } from './receipts.js';
import { freshSigner } from './signer.js';
import { type FrameOf, loginFor, WorkerSocket } from './worker-socket.js';

type WithoutSession<T> = T extends { session: unknown; seq: unknown }
  ? Omit<T, 'session' | 'seq'>
  : never;
/** What a worker says in a session, without what the session adds to it. */
export type Outgoing = WithoutSession<FromWorker>;

export interface JoinOptions {
  /** The key of a worker that joined before; a new one unless given. */
  readonly signer?: Signer;
  readonly profile?: Partial<WorkerProfile>;
  readonly holding?: readonly LeaseRef[];
  /** Whether it gives signs of life by itself. Default: yes. */
  readonly beats?: boolean;
}

/** What a worker does with an offer when it serves by itself. */
export interface Work {
  readonly tookMs?: number;
  /** Members of the receipt that are not what an honest worker would say. */
  readonly says?: Partial<Receipt>;
}

/** Two frames in this time are half of what a socket may send. */
const BATCH_MS = 200;
const HOUR_OF_TEN_UNITS_A_MS = '36000000';

/** A worker with room for everything; `pool` keeps it to the jobs that name it as their GPU model. */
export function profileOf(pool: string, change: Partial<WorkerProfile> = {}): WorkerProfile {
  return {
    name: pool,
    capabilities: {
      runtimes: [{ name: 'noop', class: RUNTIME_CLASS }],
      isolation: 'process',
      gpuModel: pool,
      region: 'local',
      os: 'linux',
      agent: 'tidemill-e2e',
    },
    resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 64_000, memoryMib: 65_536, diskMib: 65_536 },
    slots: 64,
    asks: { gpuHour: '0', cpuHour: HOUR_OF_TEN_UNITS_A_MS },
    ...change,
  };
}

/** A worker that speaks the real protocol with a real key over a real socket, and says what the test tells it to say. */
export class ScriptedWorker {
  private seq = 0;
  private readonly held = new Map<
    AttemptId,
    { readonly lease: LeaseRef; readonly sinceMs: number }
  >();
  private readonly beating: NodeJS.Timeout | undefined;

  private constructor(
    private readonly orchestrator: Door,
    readonly signer: Signer,
    readonly socket: WorkerSocket,
    readonly welcome: FrameOf<'welcome'>,
    beats: boolean,
  ) {
    if (beats) this.beating = setInterval(() => this.beat(), TIMING.heartbeatMs);
    void socket.closed.then(() => clearInterval(this.beating));
  }

  /** Connects and logs in. */
  static async join(
    orchestrator: Door,
    pool: string,
    options: JoinOptions = {},
  ): Promise<ScriptedWorker> {
    const { signer = freshSigner(), profile, holding = [], beats = true } = options;
    const socket = await WorkerSocket.open(orchestrator);
    const challenge = await socket.take('challenge');
    socket.send(
      loginFor(challenge, signer, { profile: profileOf(pool, profile), holding: [...holding] }),
    );
    const welcome = await socket.take('welcome');
    const worker = new ScriptedWorker(orchestrator, signer, socket, welcome, beats);
    for (const lease of holding) {
      if (welcome.kept.includes(lease.attemptId))
        worker.held.set(lease.attemptId, { lease, sinceMs: performance.now() });
    }
    return worker;
  }

  get id() {
    return this.welcome.workerId;
  }

  /** Says something in the session, under the next number. */
  say(message: Outgoing): void {
    this.seq += 1;
    this.socket.send({ ...message, session: this.welcome.session, seq: this.seq });
  }

  /** A sign of life that names what is held, or whatever it is told to name. */
  beat(attempts: AttemptId[] = [...this.held.keys()]): void {
    if (this.socket.socket.readyState === this.socket.socket.OPEN)
      this.say({ type: 'heartbeat', attempts });
  }

  /** The next offer of a lease. */
  async offer(deadlineMs?: number): Promise<Offer> {
    const { offers } = await this.socket.take('offer', deadlineMs);
    const [first, ...others] = offers;
    if (others.length > 0) this.socket.inbox.push({ type: 'offer', offers: others });
    if (first === undefined) throw new Error('an offer frame without an offer');
    return first;
  }

  /** Takes the lease; whether it stands. */
  async accept(offer: Offer): Promise<boolean> {
    const lease = leaseOf(offer);
    this.held.set(offer.attemptId, { lease, sinceMs: performance.now() });
    this.say({ type: 'accept', leases: [lease] });
    const names = (frame: FromOrchestrator): frame is FrameOf<'active'> =>
      frame.type === 'active' && [...frame.attempts, ...frame.gone].includes(offer.attemptId);
    const { attempts } = await this.socket.inbox.take('the answer to an accept', names);
    return attempts.includes(offer.attemptId);
  }

  /** The next offer, taken. */
  async begin(deadlineMs?: number): Promise<Offer> {
    const offer = await this.offer(deadlineMs);
    if (!(await this.accept(offer))) throw new Error(`${offer.attemptId} does not stand any more`);
    return offer;
  }

  refuse(offer: Offer): void {
    this.say({ type: 'refuse', leases: [leaseOf(offer)], reason: 'busy' });
  }

  /** What an honest worker would say, but for `says`. */
  receipt(offer: Offer, says: Partial<Receipt> = {}): Receipt {
    const sinceMs = this.held.get(offer.attemptId)?.sinceMs ?? performance.now();
    const by = { network: NETWORK, audience: this.orchestrator.audience, workerId: this.id };
    return { ...honestReceipt(offer, by, Math.floor(performance.now() - sinceMs)), ...says };
  }

  /** Sends the receipt of an attempt and waits for its acknowledgement. */
  report(offer: Offer, says: Partial<Receipt> = {}): Promise<ReceiptAck> {
    return this.sendReceipts(signed([this.receipt(offer, says)], this.signer), offer.attemptId);
  }

  /** Sends a batch as it is and waits for the acknowledgement of one attempt in it. */
  async sendReceipts(batch: SignedReceipts, attemptId: AttemptId): Promise<ReceiptAck> {
    this.say({ type: 'receipts', ...batch });
    const names = (frame: FromOrchestrator): frame is FrameOf<'receipts.ack'> =>
      frame.type === 'receipts.ack' && frame.receipts.some((ack) => ack.attemptId === attemptId);
    const { receipts } = await this.socket.inbox.take('an acknowledgement', names);
    this.held.delete(attemptId);
    const ack = receipts.find((one) => one.attemptId === attemptId);
    if (ack === undefined) throw new Error('the acknowledgement names another attempt');
    return ack;
  }

  /** From now on takes every offer and reports it, as `work` says. */
  serve(work: (offer: Offer) => Work | Promise<Work> = () => ({})): void {
    const take = ({ offers }: FrameOf<'offer'>) => {
      for (const offer of offers) void this.run(offer, work);
    };
    this.socket.onFrame = (frame) => {
      if (frame.type !== 'offer') return false;
      take(frame);
      return true;
    };
    // And those that came before.
    const isOffer = (frame: FromOrchestrator): frame is FrameOf<'offer'> => frame.type === 'offer';
    for (const frame of this.socket.inbox.takeAll(isOffer)) take(frame);
  }

  /** The same for many tasks that do nothing: a few frames a second for all of them, as more would be too fast. */
  serveInBatches(): void {
    let waiting: Offer[] = [];
    const answer = () => {
      const offers = waiting;
      waiting = [];
      if (this.socket.socket.readyState !== this.socket.socket.OPEN) return;
      this.say({ type: 'accept', leases: offers.map(leaseOf) });
      const receipts = offers.map((offer) => this.receipt(offer));
      this.say({ type: 'receipts', ...signed(receipts, this.signer) });
    };
    const take = ({ offers }: FrameOf<'offer'>) => {
      if (waiting.length === 0) setTimeout(answer, BATCH_MS);
      waiting.push(...offers);
    };
    this.socket.onFrame = (frame) => {
      if (frame.type === 'offer') take(frame);
      return true;
    };
    const isOffer = (frame: FromOrchestrator): frame is FrameOf<'offer'> => frame.type === 'offer';
    for (const frame of this.socket.inbox.takeAll(isOffer)) take(frame);
  }

  private async run(offer: Offer, work: (offer: Offer) => Work | Promise<Work>): Promise<void> {
    try {
      if (!(await this.accept(offer))) return;
      const { tookMs = 20, says = {} } = await work(offer);
      await sleep(tookMs);
      await this.report(offer, says);
    } catch {
      // The socket is gone or the job was cancelled: whoever waits for the job sees what became of it.
    }
  }

  /** Forgets an attempt without a word. */
  forget(offer: Offer): void {
    this.held.delete(offer.attemptId);
  }

  /** Gives no more signs of life; the socket stays open. */
  fallSilent(): void {
    clearInterval(this.beating);
  }

  /** Is told to stop an attempt. */
  async stopped(offer: Offer, deadlineMs?: number): Promise<FrameOf<'cancel'>> {
    const names = (frame: FromOrchestrator): frame is FrameOf<'cancel'> =>
      frame.type === 'cancel' && frame.attempts.includes(offer.attemptId);
    return this.socket.inbox.take('an order to stop', names, deadlineMs);
  }

  /** Ends without a goodbye. */
  drop(): void {
    clearInterval(this.beating);
    this.socket.drop();
  }
}

export const leaseOf = ({ attemptId, fence }: Offer): LeaseRef => ({ attemptId, fence });
