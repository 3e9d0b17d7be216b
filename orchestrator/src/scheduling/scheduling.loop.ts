import { Injectable } from '@nestjs/common';
import { place } from '@tidemill/core/scheduler';
import { Clock } from '../platform/clock.js';
import { Loops } from '../platform/loop.js';
import { Wakeups } from '../platform/wakeups.js';
import { LeasesService } from './leases.service.js';
import { Snapshots } from './snapshots.store.js';

const SWEEP_MS = 1_000;
const ORPHANS_EVERY_MS = 5_000;
const OVERRUNS_EVERY_MS = 5_000;
const FORGET_EVERY_MS = 3_600_000;
/** Tasks looked at in one turn: a turn stays in tens of milliseconds. */
const MAX_TASKS = 1_000;
/** A full turn reads all workers and their leases, so turns keep this distance while work is plenty. */
const MIN_GAP_MS = 10;

/** The stage's own clock: places what waits, and takes back what nobody works on. */
@Injectable()
export class SchedulingLoop {
  private lastTurnMs = -Infinity;

  constructor(
    private readonly snapshots: Snapshots,
    private readonly leases: LeasesService,
    private readonly clock: Clock,
    loops: Loops,
    wakeups: Wakeups,
  ) {
    const placing = loops.add({
      name: 'scheduling.place',
      everyMs: SWEEP_MS,
      turn: () => this.turn(),
    });
    const orphans = loops.add({
      name: 'scheduling.orphans',
      everyMs: ORPHANS_EVERY_MS,
      turn: () => leases.cancelOrphans(),
    });
    loops.add({
      name: 'scheduling.overruns',
      everyMs: OVERRUNS_EVERY_MS,
      turn: () => leases.endOverruns(),
    });
    loops.add({
      name: 'scheduling.forget',
      everyMs: FORGET_EVERY_MS,
      turn: () => leases.forgetInputs(),
    });
    const sweeping = loops.add({
      name: 'scheduling.sweep',
      everyMs: SWEEP_MS,
      turn: () => leases.sweep(),
    });
    wakeups.on('tasks', () => placing.wake());
    wakeups.on('cancel', () => {
      orphans.wake();
      sweeping.wake();
    });
  }

  /** One turn. Placements whose rows changed since the snapshot are refused; the next turn tries again. */
  private async turn(): Promise<boolean> {
    const waitMs = this.lastTurnMs + MIN_GAP_MS - this.clock.monotonicMs();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    this.lastTurnMs = this.clock.monotonicMs();
    const snapshot = await this.snapshots.take(MAX_TASKS);
    if (snapshot === null) return false;
    const plan = place(snapshot);
    await this.leases.commit(snapshot, plan);
    return plan.placements.length > 0 && snapshot.queued.length === MAX_TASKS;
  }
}
