import assert from 'node:assert/strict';
import { Random } from './kernel/random.js';

/** How often what goes wrong; 0 is never. */
export interface Faults {
  /** Share of messages that get lost, come twice, or come late. */
  readonly loss: number;
  readonly repeat: number;
  readonly late: number;
  /** How late at most, in milliseconds. */
  readonly lateMs: number;
  /** Chance of a crash with each step of a process. */
  readonly crash: number;
  /** How many a minute. */
  readonly pauses: number;
  readonly pauseMs: number;
  readonly partitions: number;
  readonly clockJumps: number;
  /** Share of commits that are refused, or of which nobody hears whether they happened; and of statements whose connection breaks. */
  readonly refusedCommits: number;
  readonly unknownCommits: number;
  readonly brokenStatements: number;
  /** Share of statements whose way to the database or back takes long, and how long at most, in milliseconds. */
  readonly slowStatements: number;
  readonly slowMs: number;
  /** Share of wake-ups that get lost. */
  readonly lostWakeups: number;
}

export const NO_FAULTS: Faults = {
  loss: 0,
  repeat: 0,
  late: 0,
  lateMs: 0,
  crash: 0,
  pauses: 0,
  pauseMs: 0,
  partitions: 0,
  clockJumps: 0,
  refusedCommits: 0,
  unknownCommits: 0,
  brokenStatements: 0,
  slowStatements: 0,
  slowMs: 0,
  lostWakeups: 0,
};

export interface WorkerPlan {
  readonly slots: number;
  readonly ask: number;
  /** Share of its tasks of which it makes up the result. */
  readonly cheats: number;
  /** Share of its tasks that its machine fails. */
  readonly fails: number;
  /** How often slower than the others. */
  readonly slow: number;
}

export interface JobPlan {
  readonly atMs: number;
  readonly account: number;
  readonly runtime: 'noop' | 'tfjs';
  readonly verify: 'none' | 'standard' | 2 | 3;
  readonly segments: number;
  readonly workMs: number;
  readonly maxMs: number;
  readonly retries: number;
  readonly fails: boolean;
  /** The submitter tries again under this key until it is answered; without one it asks once. */
  readonly key: string | null;
  /** How long the submitter waits for an answer. */
  readonly patienceMs: number;
  /** It sends the request twice at once. */
  readonly isHasty: boolean;
  readonly cancelAfterMs: number | null;
  readonly deadlineAfterMs: number | null;
}

/** All that a seed decides before it begins. */
export interface Scenario {
  readonly seed: number;
  readonly orchestrators: number;
  /** How many times rarer than in production the loops of an orchestrator that nobody wakes look for work. */
  readonly rarerSweeps: number;
  readonly workers: readonly WorkerPlan[];
  readonly accounts: number;
  readonly jobs: readonly JobPlan[];
  readonly auditRatePpm: number;
  readonly release: 'immediate' | 'standard';
  readonly faults: Faults;
  /** When faults stop. */
  readonly faultsUntilMs: number;
}

/** Seeds without any fault show that nothing moves that need not move. */
const CLEAN_SHARE = 0.04;

/** How large a scenario is: its time with faults, its jobs, when they come, and how long their tasks take at most. */
interface Size {
  readonly share: number;
  readonly faultsMs: readonly [least: number, most: number];
  readonly jobs: number;
  readonly jobsWithinMs: number;
  readonly workMs: number;
  readonly pauseMs: number;
  readonly rarerSweeps: readonly number[];
}

/**
 * Most seeds are small: a bug that needs little is found in many small ones sooner than in a few large ones. A bug that needs
 * more than one fault after another, or minutes, is found in the others.
 */
const SIZES: readonly Size[] = [
  { share: 0.001, faultsMs: [60_000, 720_000], jobs: 4, jobsWithinMs: 3_000, workMs: 6_000, pauseMs: 600_000, rarerSweeps: [1] },
  { share: 0.008, faultsMs: [8_000, 30_000], jobs: 6, jobsWithinMs: 20_000, workMs: 6_000, pauseMs: 25_000, rarerSweeps: [1, 2] },
  { share: 0.1, faultsMs: [1_500, 7_000], jobs: 4, jobsWithinMs: 3_000, workMs: 6_000, pauseMs: 25_000, rarerSweeps: [1, 3, 6] },
  { share: 1, faultsMs: [700, 3_000], jobs: 2, jobsWithinMs: 800, workMs: 800, pauseMs: 10_000, rarerSweeps: [4, 8] },
]; // prettier-ignore

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed, 'scenario');
  const size = sizeOf(random);
  const isClean = random.chance(CLEAN_SHARE);
  const faultsUntilMs = random.between(...size.faultsMs);
  const accounts = 1 + random.below(2);
  const workers = Array.from({ length: random.pick([1, 2, 2, 3, 3, 4]) }, () => workerOf(random));
  const jobs = Array.from({ length: 1 + random.below(size.jobs) }, (_, i) =>
    jobOf(random, i, accounts, workers.length, {
      ...size,
      jobsWithinMs: Math.min(faultsUntilMs, size.jobsWithinMs),
    }),
  );
  return {
    seed,
    orchestrators: random.pick([1, 1, 1, 1, 2, 2, 3]),
    rarerSweeps: random.pick(size.rarerSweeps),
    workers,
    accounts,
    jobs,
    auditRatePpm: random.pick([100_000, 500_000, 1_000_000]),
    release: random.pick(['immediate', 'immediate', 'standard']),
    faults: isClean ? NO_FAULTS : faultsOf(random, size.pauseMs),
    faultsUntilMs: isClean ? 0 : faultsUntilMs,
  };
}

function sizeOf(random: Random): Size {
  let drawn = random.next();
  const size = SIZES.find(({ share }) => (drawn -= share) < 0);
  assert(size, 'the last share is what is left');
  return size;
}

function workerOf(random: Random): WorkerPlan {
  return {
    slots: 1 + random.below(3),
    ask: 36_000_000 * (1 + random.below(3)),
    cheats: random.pick([0, 0, 0, 0, 0, 0, 0.2, 1]),
    fails: random.pick([0, 0, 0, 0.2]),
    slow: random.pick([1, 1, 1, 1, 4]),
  };
}

function jobOf(
  random: Random,
  index: number,
  accounts: number,
  workers: number,
  { jobsWithinMs, workMs }: Size,
): JobPlan {
  const runtime = random.chance(0.3) ? 'tfjs' : 'noop';
  return {
    atMs: random.between(0, jobsWithinMs),
    account: random.below(accounts),
    runtime,
    verify: verifyOf(random, workers),
    segments: runtime === 'tfjs' ? 1 + random.below(4) : 1,
    workMs: random.pick([
      0,
      random.between(1, 500),
      random.between(1, 500),
      random.between(500, workMs),
    ]),
    maxMs: random.pick([5_000, 30_000]),
    retries: random.below(4),
    fails: random.chance(0.08),
    // Keys repeat between accounts, which is no business of either.
    key: random.chance(0.75) ? `key-${random.chance(0.4) ? 'same' : String(index)}` : null,
    patienceMs: random.pick([600, 1_200, 4_000]),
    isHasty: random.chance(0.25),
    cancelAfterMs: random.chance(0.2) ? random.between(0, 8_000) : null,
    deadlineAfterMs: random.chance(0.1) ? random.between(500, 15_000) : null,
  };
}

/** Mostly what the workers there are can do; the rest waits for an audit to be waived, or for a worker in vain. */
function verifyOf(random: Random, workers: number): JobPlan['verify'] {
  const wanted = random.pick(['none', 'none', 'standard', 'standard', 2, 3] as const);
  const needs = wanted === 'none' ? 1 : wanted === 'standard' ? 2 : wanted;
  return needs <= workers || random.chance(0.03) ? wanted : 'none';
}

function faultsOf(random: Random, pauseMs: number): Faults {
  const upTo = (most: number, share = 0.75): number =>
    random.chance(share) ? most * random.next() : 0;
  return {
    loss: upTo(0.3),
    repeat: upTo(0.5),
    late: upTo(0.6, 0.8),
    lateMs: random.between(50, 5_000),
    crash: upTo(0.05, 0.4),
    pauses: upTo(20, 0.4),
    pauseMs: random.between(200, pauseMs),
    partitions: upTo(30, 0.4),
    clockJumps: upTo(30, 0.4),
    refusedCommits: upTo(0.1),
    unknownCommits: upTo(0.1),
    brokenStatements: upTo(0.03, 0.3),
    slowStatements: upTo(0.5, 0.8),
    slowMs: random.pick([50, 300, 1_000, 5_000]),
    lostWakeups: upTo(1, 0.4),
  };
}
