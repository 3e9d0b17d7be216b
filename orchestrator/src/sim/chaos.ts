import type { Process } from './kernel/process.js';
import type { Random } from './kernel/random.js';
import { IDLE_MS } from './memory/memory-database.js';
import type { FaultCounter } from './fault-counter.js';
import type { Kernel } from './kernel/kernel.js';
import type { Network } from './network.js';
import type { Scenario } from './scenario.js';

const MINUTE_MS = 60_000;
const MAX_JUMP_MS = 300_000;
const MAX_CUT_MS = 20_000;

/** What can be shaken. */
interface Shaken {
  readonly scenario: Scenario;
  readonly kernel: Kernel;
  readonly network: Network;
  readonly faults: FaultCounter;
  readonly isCalm: boolean;
  readonly workers: readonly { readonly process: Process }[];
  readonly orchestrators: readonly { readonly process: Process }[];
  processes(): Process[];
  /** The database ends what this process has open. */
  abandon(process: Process, afterMs: number): void;
}

/** Pauses, partitions and clock jumps at random moments, as often as the scenario says, until faults stop. */
export function startChaos(world: Shaken, random: Random): void {
  const { faults } = world.scenario;
  const every = (perMinute: number, label: string, strike: () => void): void => {
    if (perMinute === 0) return;
    const next = (): void => {
      // Moments that know nothing of each other.
      const delayMs = (-Math.log(1 - random.next()) * MINUTE_MS) / perMinute;
      world.kernel.after(delayMs, null, label, () => {
        if (world.isCalm) return;
        strike();
        next();
      });
    };
    next();
  };
  every(faults.pauses, 'pause', () => pause(world, random));
  every(faults.partitions, 'partition', () => partition(world, random));
  every(faults.clockJumps, 'clock', () => jump(world, random));
}

function pause(world: Shaken, random: Random): void {
  const process = random.pick(world.processes());
  const forMs = random.next() * world.scenario.faults.pauseMs;
  process.pausedUntilMs = Math.max(process.pausedUntilMs, world.kernel.nowMs + forMs);
  world.faults.note('pauses');
  if (forMs > IDLE_MS) world.abandon(process, IDLE_MS);
}

function partition(world: Shaken, random: Random): void {
  const a: Process = random.pick(world.workers).process;
  const b: Process = random.pick(world.orchestrators).process;
  const isBothWays = random.chance(0.5);
  const [from, to] = random.chance(0.5) ? [a, b] : [b, a];
  world.network.cutOff(from, to);
  if (isBothWays) world.network.cutOff(to, from);
  world.faults.note('partitions');
  world.kernel.after(random.between(500, MAX_CUT_MS), null, 'heal', () => {
    world.network.join(from, to);
    world.network.join(to, from);
  });
}

function jump(world: Shaken, random: Random): void {
  const process = random.pick(world.processes());
  process.wallOffsetMs = random.between(-MAX_JUMP_MS, MAX_JUMP_MS);
  world.faults.note('clockJumps');
}
