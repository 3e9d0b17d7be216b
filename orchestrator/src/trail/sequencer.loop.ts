import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.js';
import type { Telemetry } from '../platform/telemetry/telemetry.js';
import { MAX_BATCH, type Sequencer } from './sequencer.js';

/** An event has its place after this and one batch, well within the second that is promised. */
export const SEQUENCER_EVERY_MS = 400;

/** An event that waits longer is an alarm: something holds a transaction open, or nobody places. */
const ALARM_AFTER_MS = 10_000;
const ALARM_EVERY_MS = 10_000;

/** A sequencer that lost the fence takes it back when the one that has it leaves work lying this long. */
const TAKE_OVER_AFTER_MS = 3_000;

/** One turn after another of the sequencer, and the eye on what has no place. */
export class SequencerLoop {
  private claimed = false;
  private alarmedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly sequencer: Sequencer,
    private readonly clock: Clock,
    private readonly telemetry: Telemetry,
    private readonly log: Logger,
  ) {}

  /** True when there is more to place at once. */
  async turn(): Promise<boolean> {
    if (!this.claimed) await this.claim('started');
    const { oldestAtMs, settled, mine } = await this.sequencer.backlog();
    const waitingMs = oldestAtMs === null ? 0 : Math.max(0, this.clock.nowMs() - oldestAtMs);
    this.watch(waitingMs);
    if (!settled) return false;
    if (!mine) {
      if (waitingMs < TAKE_OVER_AFTER_MS) return false;
      await this.claim('the other sequencer places nothing');
    }
    const count = await this.sequencer.place();
    if (count !== null) this.telemetry.trailEvents.inc(count);
    return count === MAX_BATCH;
  }

  private async claim(why: string): Promise<void> {
    const repaired = await this.sequencer.claim();
    this.claimed = true;
    this.log.info({ why, repaired }, 'trail sequencer took the fence');
  }

  private watch(waitingMs: number): void {
    this.telemetry.trailUnplaced.set(waitingMs / 1_000);
    const nowMs = this.clock.monotonicMs();
    if (waitingMs <= ALARM_AFTER_MS || nowMs - this.alarmedAtMs < ALARM_EVERY_MS) return;
    this.alarmedAtMs = nowMs;
    this.log.error(
      { waitingMs },
      'a trail event has no place: look for a transaction that stays open',
    );
  }
}
