import { EventQueue, type Timed } from './event-queue.js';
import type { Process } from './process.js';

export interface Scheduled {
  cancel(): void;
  /** Node's timers have these; nothing here keeps a process alive. */
  unref(): Scheduled;
  ref(): Scheduled;
}

class Event implements Timed, Scheduled {
  isCancelled = false;
  /** What stands for it since it was moved. */
  movedTo: Event | null = null;

  constructor(
    public atMs: number,
    readonly order: number,
    readonly owner: Process | null,
    readonly life: number,
    readonly label: string,
    readonly run: () => void,
  ) {}

  cancel(): void {
    this.isCancelled = true;
    this.movedTo?.cancel();
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}

/** Called before each event of a process; false when the process crashed instead. */
export type BeforeEvent = (owner: Process) => boolean;

/** Virtual time: one event after another, each with all the promises it settles, so that a seed repeats exactly. */
export class Kernel {
  nowMs = 0;
  /** Events that ran. */
  events = 0;
  /** Whose event runs now. */
  current: Process | null = null;
  beforeEvent: BeforeEvent = () => true;
  private readonly queue = new EventQueue<Event>();
  /** Events that wait for a process that is paused. */
  private readonly late = new Set<Event>();
  private made = 0;
  private hashA = 0x811c9dc5;
  private hashB = 0x9e3779b9;

  /** Runs `run` after so many milliseconds, unless its process has crashed by then; a paused process does it when it goes on. */
  after(delayMs: number, owner: Process | null, label: string, run: () => void): Scheduled {
    this.made += 1;
    const atMs = this.nowMs + Math.max(0, delayMs);
    const event = new Event(atMs, this.made, owner, owner?.life ?? 0, label, run);
    this.queue.push(event);
    return event;
  }

  /** Resolves in an event of its own. */
  step(delayMs: number, owner: Process | null, label: string): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, owner, label, resolve));
  }

  /** Runs events until `isOver` says so or there are none up to `untilMs`. */
  async run(untilMs: number, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const event = this.queue.peek();
      if (event === undefined || event.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.queue.pop();
      if (event.isCancelled || isDead(event)) continue;
      const { owner } = event;
      if (owner !== null && owner.pausedUntilMs > event.atMs) {
        event.atMs = owner.pausedUntilMs;
        this.queue.push(event);
        this.late.add(event);
        continue;
      }
      this.late.delete(event);
      this.nowMs = event.atMs;
      if (owner !== null && !this.beforeEvent(owner)) continue;
      this.events += 1;
      this.note(event.label, owner?.name ?? '');
      this.current = owner;
      event.run();
      await settled();
      this.current = null;
    }
  }

  /** Pauses are over: what waits for one happens now. */
  resume(): void {
    for (const event of [...this.late].sort((a, b) => a.order - b.order)) {
      if (event.isCancelled || isDead(event)) continue;
      this.made += 1;
      const { owner, life, label, run } = event;
      const now = new Event(this.nowMs, this.made, owner, life, label, run);
      event.cancel();
      event.movedTo = now;
      this.queue.push(now);
    }
    this.late.clear();
  }

  /** What happened so far, as 16 hexadecimal digits. */
  get hash(): string {
    return [this.hashA, this.hashB]
      .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
      .join('');
  }

  /** Mixes something into the hash of what happened. */
  note(label: string, owner: string): void {
    let { hashA, hashB } = this;
    for (let i = 0; i < label.length; i += 1)
      hashA = Math.imul(hashA ^ label.charCodeAt(i), 0x01000193);
    for (let i = 0; i < owner.length; i += 1)
      hashB = Math.imul(hashB ^ owner.charCodeAt(i), 0x01000193);
    const moment = Math.floor(this.nowMs * 1_000);
    this.hashA = Math.imul(hashA ^ moment, 0x85ebca6b);
    this.hashB = Math.imul(hashB ^ (hashA >>> 13) ^ this.events, 0xc2b2ae35);
  }
}

const isDead = ({ owner, life }: Event): boolean => owner !== null && owner.life !== life;

/** A tick comes after every promise that can settle has done so, and costs no turn of the real event loop. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
