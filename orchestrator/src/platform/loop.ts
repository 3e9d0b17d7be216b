import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from './clock.js';
import type { Telemetry } from './telemetry/telemetry.js';

export interface LoopOptions {
  readonly name: string;
  /** The sweep: a turn is due after this even if nobody wakes the loop. */
  readonly everyMs: number;
  /** One turn. True when there is more to do at once. */
  readonly turn: () => Promise<boolean | void>;
}

export interface LoopHandle {
  /** Asks for a turn now; many calls before it starts are one. */
  wake(): void;
}

/**
 * Woken turns begin at least this far apart. A turn costs about as much for one row as for fifty, so a busy stage gathers what
 * comes meanwhile; a stage at rest answers at once.
 */
const BETWEEN_TURNS_MS = 25;

/** After a failed turn a loop waits this long, so that a fault does not become a storm. */
const AFTER_FAILURE_MS = 500;

/** Runs every stage's turns, one at a time each, until shutdown. */
export class Loops implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loops: Loop[] = [];
  private started = false;

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly telemetry: Telemetry,
  ) {}

  add(options: LoopOptions): LoopHandle {
    const loop = new Loop(options, this.clock, this.log, this.telemetry);
    this.loops.push(loop);
    if (this.started) loop.start();
    return loop;
  }

  onApplicationBootstrap(): void {
    this.started = true;
    for (const loop of this.loops) loop.start();
  }

  /** Waits for the turns that run; starts no more. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}

class Loop implements LoopHandle {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  /** When the last turn began. */
  private startedMs = -Infinity;
  private wakes = 0;
  private stopped = true;

  constructor(
    private readonly options: LoopOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly telemetry: Telemetry,
  ) {}

  start(): void {
    this.stopped = false;
    this.schedule(0);
  }

  wake(): void {
    if (this.stopped) return;
    this.wakes += 1;
    if (this.running === undefined) this.schedule(this.restMs());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** How long a woken turn has to wait. */
  private restMs(): number {
    return Math.max(0, this.startedMs + BETWEEN_TURNS_MS - this.clock.monotonicMs());
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, delayMs);
  }

  private async run(): Promise<void> {
    let answered = this.wakes;
    this.startedMs = this.clock.monotonicMs();
    let waitMs = this.options.everyMs;
    try {
      if ((await this.options.turn()) === true) waitMs = 0;
    } catch (err) {
      this.telemetry.loopFailures.inc({ loop: this.options.name });
      this.log.error({ err, loop: this.options.name }, 'turn failed');
      waitMs = AFTER_FAILURE_MS;
      answered = this.wakes;
    }
    this.telemetry.loopTurns.observe(
      { loop: this.options.name },
      (this.clock.monotonicMs() - this.startedMs) / 1_000,
    );
    this.running = undefined;
    this.schedule(this.wakes > answered ? Math.min(waitMs, this.restMs()) : waitMs);
  }
}
