import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.js';
import type { LoopOptions } from '../platform/loop.js';

/** After the first failed turn a loop waits so long, after each further one twice as long, up to the most. */
const FIRST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 60_000;

/** A loop that has been failing. */
export interface FailingTurn {
  readonly name: string;
  readonly failures: number;
  readonly since: Date;
  readonly error: string;
}

/**
 * Turns of loops that need the chain. While it is away they fail alone and less and less often, and nothing else waits for them; what
 * is wrong can be read.
 */
export class ChainTurns {
  private readonly failing = new Map<
    string,
    { sinceMs: number; failures: number; error: string; againMs: number }
  >();

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  loop(name: string, everyMs: number, turn: () => Promise<boolean | void>): LoopOptions {
    return { name, everyMs, turn: () => this.tried(name, turn) };
  }

  /** In the order in which they began to fail. */
  failures(): FailingTurn[] {
    return [...this.failing].map(([name, { sinceMs, failures, error }]) => ({
      name,
      failures,
      since: new Date(sinceMs),
      error,
    }));
  }

  private async tried(name: string, turn: () => Promise<boolean | void>): Promise<boolean | void> {
    const before = this.failing.get(name);
    if (before !== undefined && this.clock.monotonicMs() < before.againMs) return;
    try {
      const hasMore = await turn();
      if (this.failing.delete(name)) this.log.info({ loop: name }, 'chain loop goes on');
      return hasMore;
    } catch (err) {
      const failures = (before?.failures ?? 0) + 1;
      const waitMs = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
      this.failing.set(name, {
        sinceMs: before?.sinceMs ?? this.clock.nowMs(),
        failures,
        error: err instanceof Error ? `${err.name}: ${err.message}` : String(err),
        againMs: this.clock.monotonicMs() + waitMs,
      });
      this.log.warn({ err, loop: name, failures, waitMs }, 'chain loop failed');
    }
  }
}
