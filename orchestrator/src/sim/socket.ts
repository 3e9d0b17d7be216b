import type { Link, TransportEvents } from '@tidemill/worker/parts';
import type { Session } from '../gateway/session.js';
import type { Process } from './kernel/process.js';
import type { Network, Stream } from './network.js';

type Listener = (...args: unknown[]) => void;

/** The orchestrator's end of a connection: as much of a `ws` socket as the gateway touches. */
class SimSocket {
  readonly OPEN = 1;
  readyState = 1;
  readonly bufferedAmount = 0;
  private readonly listeners = new Map<string, Listener>();

  constructor(private readonly connection: Connection) {}

  on(event: string, listener: Listener): this {
    this.listeners.set(event, listener);
    return this;
  }

  send(frame: string): void {
    this.connection.toWorker(frame);
  }

  close(code: number, reason: string): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 3;
    this.connection.endToWorker(code, reason);
    this.listeners.get('close')?.(code, reason);
  }

  /** Closing ends this end at once, so there is nothing left to end by force. */
  terminate(): void {
    this.readyState = 3;
  }

  pause(): void {
    this.readyState = 3;
  }

  received(frame: string): void {
    if (this.readyState === this.OPEN) this.listeners.get('message')?.(Buffer.from(frame), false);
  }

  ended(code: number, reason: string): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 3;
    this.listeners.get('close')?.(code, reason);
  }
}

/** A connection of a worker to an orchestrator, both ends of it. */
export class Connection {
  readonly socket = new SimSocket(this);
  private readonly up: Stream;
  private readonly down: Stream;
  private isOpenForWorker = false;
  private isOver = false;

  constructor(
    network: Network,
    readonly worker: Process,
    readonly orchestrator: Process,
    private readonly events: TransportEvents,
  ) {
    this.up = network.stream(worker, orchestrator);
    this.down = network.stream(orchestrator, worker);
  }

  /** The socket as the gateway's type has it. */
  get webSocket(): Session['socket'] {
    return this.socket as unknown as Session['socket']; // all of it that the gateway uses
  }

  /** Begins with the worker's call; `accept` runs at the orchestrator. */
  open(accept: () => void, refuse: () => void): Link {
    this.up.end(() => {
      if (!this.orchestrator.isUp) return refuse();
      accept();
    });
    return {
      send: (frame) => {
        if (!this.isOpenForWorker) return false;
        this.up.frame('to orchestrator', () => this.socket.received(frame));
        return true;
      },
      bufferedBytes: () => 0,
      close: (code, reason) => {
        this.isOpenForWorker = false;
        this.up.end(() => this.socket.ended(code, reason));
        this.worker.after(() => this.closeForWorker(code, reason));
      },
    };
  }

  accepted(): void {
    this.down.end(() => {
      if (this.isOver) return;
      this.isOpenForWorker = true;
      this.events.opened();
    });
  }

  toWorker(frame: string): void {
    this.down.frame('to worker', () => {
      if (this.isOpenForWorker && !this.isOver) this.events.frame(frame);
    });
  }

  endToWorker(code: number, reason: string): void {
    this.down.end(() => this.closeForWorker(code, reason));
  }

  /** The worker's process is gone. */
  endToOrchestrator(): void {
    this.isOver = true;
    this.up.end(() => this.socket.ended(1006, ''));
  }

  closeForWorker(code: number, reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpenForWorker = false;
    this.events.closed(code, reason);
  }
}
