import type { FaultName } from './fault-counter.js';
import type { Violation } from './invariants.js';
import { withVirtualTimers } from './kernel/virtual-globals.js';
import { SOUND_PARTS, type Parts } from './parts.js';
import type { Scenario } from './scenario.js';
import { World } from './world.js';

/** Looked at so often whether all is over. */
const SLICE_MS = 1_000;
/** After faults stop everything is over by then, or it is stuck. */
const CALM_MS = 600_000;
/** By then every worker has logged in again, so a task that nobody can run is not merely early. */
const RETURN_MS = 30_000;
/** Within this after the last job has ended the last hold is returned: a dispute that nobody can decide waits for a minute, and then for two sweeps. */
const SETTLE_MS = { disputed: 80_000, perRarerSweep: 10_000 };

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly hash: string;
  readonly events: number;
  readonly faults: number;
  readonly faultCounts: ReadonlyMap<FaultName, number>;
  readonly jobs: number;
  readonly attempts: number;
  readonly simulatedMs: number;
  /** From the end of faults until every job had ended. */
  readonly calmMs: number;
}

/** Runs one scenario from its first event to its last. */
export async function simulate(scenario: Scenario, parts: Parts = SOUND_PARTS): Promise<Outcome> {
  const world = new World(scenario, parts);
  const { kernel, invariants } = world;
  const isBroken = (): boolean => invariants.violation !== null;
  let calmMs = 0;
  await withVirtualTimers(kernel, async () => {
    world.start();
    const lastMs = Math.max(...scenario.jobs.map(({ atMs }) => atMs), 0);
    await kernel.run(Math.max(scenario.faultsUntilMs, lastMs), isBroken);
    world.calm();
    const calmAtMs = kernel.nowMs;
    const settleMs = SETTLE_MS.disputed + scenario.rarerSweeps * SETTLE_MS.perRarerSweep;
    const isWaiting = (): boolean =>
      !isBroken() && kernel.nowMs < calmAtMs + CALM_MS && !isOver(world, kernel.nowMs - calmAtMs);
    // Again, since a request of a submitter that gave up may still become a job.
    do {
      while (isWaiting()) await kernel.run(kernel.nowMs + SLICE_MS, isBroken);
      calmMs = kernel.nowMs - calmAtMs;
      const endMs = kernel.nowMs + settleMs;
      while (!isBroken() && kernel.nowMs < endMs && !invariants.isSettled())
        await kernel.run(kernel.nowMs + SLICE_MS, isBroken);
    } while (isWaiting());
    if (!isBroken()) invariants.atEnd();
  });
  const { database, faults } = world;
  const chain = database.sequencer.rows.get('only')?.chain.toString('hex') ?? '';
  kernel.note(chain, 'trail');
  return {
    seed: scenario.seed,
    violation: invariants.violation,
    hash: kernel.hash,
    events: kernel.events,
    faults: faults.total,
    faultCounts: faults.counts,
    jobs: database.jobs.rows.size,
    attempts: database.attempts.rows.size,
    simulatedMs: Math.round(kernel.nowMs),
    calmMs: Math.round(calmMs),
  };
}

const isOver = ({ clients, invariants }: World, calmMs: number): boolean =>
  clients.every(({ isDone }) => isDone) &&
  (!invariants.hasOpenJobs() || (calmMs > RETURN_MS && invariants.stuck().length === 0));
