import type { FaultName } from './fault-counter.js';
import type { Parts } from './parts.js';
import { scenarioOf } from './scenario.js';
import { simulate, type Outcome } from './simulate.js';

/** What many seeds came to. */
export interface Tally {
  seeds: number;
  events: number;
  faults: number;
  readonly byFault: Partial<Record<FaultName, number>>;
  jobs: number;
  attempts: number;
  simulatedMs: number;
  /** The longest time from the end of faults until every job had ended. */
  longestCalmMs: number;
  /** Seeds that were run a second time, and those of them that went another way. */
  repeated: number;
  readonly diverged: number[];
  readonly failed: { readonly seed: number; readonly rule: string; readonly detail: string }[];
}

const emptyTally = (): Tally => ({
  seeds: 0,
  events: 0,
  faults: 0,
  byFault: {},
  jobs: 0,
  attempts: 0,
  simulatedMs: 0,
  longestCalmMs: 0,
  repeated: 0,
  diverged: [],
  failed: [],
});

/** Runs seeds one after another, and every so many of them a second time, which must go the same way; says after each how many that is. */
export async function runSeeds(
  seeds: Iterable<number>,
  parts: Parts,
  repeatEvery: number,
  progress: (done: number) => void = () => undefined,
): Promise<Tally> {
  const tally = emptyTally();
  for (const seed of seeds) {
    const scenario = scenarioOf(seed);
    const outcome = await simulate(scenario, parts);
    note(tally, outcome);
    if (repeatEvery > 0 && seed % repeatEvery === 0) {
      tally.repeated += 1;
      const again = await simulate(scenario, parts);
      if (again.hash !== outcome.hash) tally.diverged.push(seed);
    }
    progress(tally.seeds);
  }
  return tally;
}

/** The first of the seeds that breaks a rule, or null. */
export async function firstBroken(seeds: Iterable<number>, parts: Parts): Promise<Outcome | null> {
  for (const seed of seeds) {
    const outcome = await simulate(scenarioOf(seed), parts);
    if (outcome.violation !== null) return outcome;
  }
  return null;
}

/** The whole of several tallies. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = emptyTally();
  for (const one of tallies) {
    sum.seeds += one.seeds;
    sum.events += one.events;
    sum.faults += one.faults;
    addFaults(sum, Object.entries(one.byFault) as [FaultName, number][]);
    sum.jobs += one.jobs;
    sum.attempts += one.attempts;
    sum.simulatedMs += one.simulatedMs;
    sum.longestCalmMs = Math.max(sum.longestCalmMs, one.longestCalmMs);
    sum.repeated += one.repeated;
    sum.diverged.push(...one.diverged);
    sum.failed.push(...one.failed);
  }
  return sum;
}

function note(tally: Tally, outcome: Outcome): void {
  tally.seeds += 1;
  tally.events += outcome.events;
  tally.faults += outcome.faults;
  addFaults(tally, [...outcome.faultCounts]);
  tally.jobs += outcome.jobs;
  tally.attempts += outcome.attempts;
  tally.simulatedMs += outcome.simulatedMs;
  tally.longestCalmMs = Math.max(tally.longestCalmMs, outcome.calmMs);
  const { seed, violation } = outcome;
  if (violation !== null)
    tally.failed.push({ seed, rule: violation.name, detail: violation.detail });
}

function addFaults(tally: Tally, counts: readonly [FaultName, number][]): void {
  for (const [name, count] of counts) tally.byFault[name] = (tally.byFault[name] ?? 0) + count;
}

/** Whole numbers from the first to the last, each so many apart. */
export function* range(first: number, last: number, step = 1): Generator<number> {
  for (let number = first; number <= last; number += step) yield number;
}
