import { type AttemptId, type FromOrchestrator, type Offer, TIMING } from '@tidemill/protocol';
import { type Finished, signReceipts } from './noop-receipt.js';
import type { OrchestratorAddress } from './orchestrator-address.js';
import { openWorkerSession, type WorkerSession } from './worker-session.js';

/** Receipts wait this long for company, about as long as a worker takes to collect them and to write them to its disk. */
const RECEIPT_LINGER_MS = 5;

/** When one attempt passed a worker, by the machine's monotonic clock in milliseconds, which all processes share. */
export interface Passage {
  readonly jobId: string;
  readonly acceptedAtMs: number;
  /** The orchestrator confirmed the lease: the job runs from here on. */
  readonly startedAtMs: number;
}

export interface WorkerTally {
  /** Attempts that were accepted and run. */
  readonly started: number;
  /** Receipts the orchestrator acknowledged as stored. */
  readonly stored: number;
  /** Everything that should not have happened: closed sockets, lost leases, receipts that were not stored. */
  readonly faults: readonly string[];
}

export interface SimulatedWorkerOptions {
  readonly orchestrator: OrchestratorAddress;
  readonly name: string;
  readonly localAddress: string;
  /** Whether receipts are collected for a moment; without it each leaves at once. */
  readonly linger: boolean;
  /** Takes the passage of each attempt; for measurements of latency. */
  readonly onStarted?: (passage: Passage) => void;
}

/** Milliseconds of CLOCK_MONOTONIC: readings of different processes can be subtracted. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A worker that speaks the real protocol with a real key and whose jobs take no time. */
export class SimulatedWorker {
  private session: WorkerSession | undefined;
  /** What it works on or has no answer for yet: what its heartbeats name. */
  private readonly held = new Map<
    AttemptId,
    { readonly offer: Offer; readonly acceptedAtMs: number }
  >();
  private readonly faults: string[] = [];
  private finished: Finished[] = [];
  private heartbeat: NodeJS.Timeout | undefined;
  private reporting: NodeJS.Timeout | undefined;
  private started = 0;
  private stored = 0;

  constructor(private readonly options: SimulatedWorkerOptions) {}

  /** Settles when the worker is logged in and waits for offers. */
  async join(): Promise<void> {
    this.session = await openWorkerSession({
      ...this.options,
      onMessage: (message, session) => this.take(message, session),
      onLost: (why) => this.faults.push(why),
    });
    // At a random moment of the first interval: workers that joined together must not beat together.
    this.heartbeat = setTimeout(() => {
      this.heartbeat = setInterval(() => this.beat(), TIMING.heartbeatMs);
      this.beat();
    }, Math.random() * TIMING.heartbeatMs);
  }

  leave(): void {
    clearTimeout(this.heartbeat);
    clearTimeout(this.reporting);
    this.session?.close();
  }

  tally(): WorkerTally {
    return { started: this.started, stored: this.stored, faults: this.faults };
  }

  private take(message: FromOrchestrator, session: WorkerSession): void {
    switch (message.type) {
      case 'offer':
        return this.accept(message.offers, session);
      case 'active':
        if (message.gone.length > 0) this.fault(`${message.gone.length} leases were gone`);
        return this.run(message.attempts);
      case 'receipts.ack':
        return this.acknowledged(message.receipts);
      case 'cancel':
        return this.fault(`${message.attempts.length} attempts were cancelled: ${message.reason}`);
      default:
        // Acknowledged heartbeats, and what only a worker that drains would heed.
        break;
    }
  }

  private accept(offers: readonly Offer[], session: WorkerSession): void {
    const acceptedAtMs = monotonicMs();
    for (const offer of offers) this.held.set(offer.attemptId, { offer, acceptedAtMs });
    session.send({
      type: 'accept',
      leases: offers.map(({ attemptId, fence }) => ({ attemptId, fence })),
    });
  }

  /** The attempts are ours now, and as they do nothing they are over at once. */
  private run(attempts: readonly AttemptId[]): void {
    const startedAtMs = monotonicMs();
    for (const attemptId of attempts) {
      const lease = this.held.get(attemptId);
      if (lease === undefined) {
        this.fault(`${attemptId} became active without an offer`);
        continue;
      }
      this.started += 1;
      this.finished.push({ offer: lease.offer, tookMs: 1 });
      this.options.onStarted?.({
        jobId: lease.offer.jobId,
        acceptedAtMs: lease.acceptedAtMs,
        startedAtMs,
      });
    }
    if (!this.options.linger) this.report();
    else this.reporting ??= setTimeout(() => this.report(), RECEIPT_LINGER_MS);
  }

  private report(): void {
    this.reporting = undefined;
    const { session } = this;
    if (session === undefined) return;
    const by = {
      workerId: session.id,
      signer: session.signer,
      orchestrator: this.options.orchestrator,
    };
    for (const batch of signReceipts(this.finished, by, Date.now()))
      session.send({ type: 'receipts', ...batch });
    this.finished = [];
  }

  private acknowledged(
    receipts: Extract<FromOrchestrator, { type: 'receipts.ack' }>['receipts'],
  ): void {
    for (const { attemptId, status, code } of receipts) {
      this.held.delete(attemptId);
      if (status === 'stored') this.stored += 1;
      else this.fault(`the receipt of ${attemptId} was ${status} ${code ?? ''}`);
    }
  }

  private beat(): void {
    this.session?.send({ type: 'heartbeat', attempts: [...this.held.keys()] });
  }

  private fault(what: string): void {
    this.faults.push(`${this.options.name}: ${what}`);
  }
}
