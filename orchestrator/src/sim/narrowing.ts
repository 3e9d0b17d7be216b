import { NO_FAULTS, type Faults, type Scenario } from './scenario.js';

/** What of a scenario is left away; jobs, workers and orchestrators by their numbers. */
export interface Narrowing {
  readonly without: readonly (keyof Faults)[];
  /** Those that stay; null for all. */
  readonly jobs: readonly number[] | null;
  readonly workers: number | null;
  readonly orchestrators: number | null;
  readonly faultsUntilMs: number | null;
}

export const WHOLE: Narrowing = {
  without: [],
  jobs: null,
  workers: null,
  orchestrators: null,
  faultsUntilMs: null,
};

/** Kinds of faults that can be left away one by one. */
export const FAULT_NAMES = (Object.keys(NO_FAULTS) as (keyof Faults)[]).filter(
  (name) => name !== 'lateMs' && name !== 'pauseMs' && name !== 'slowMs',
);

/** The scenario without what the narrowing leaves away; the rest of it stays as it was. */
export function narrowed(scenario: Scenario, narrowing: Narrowing): Scenario {
  const { without, jobs, workers, orchestrators, faultsUntilMs } = narrowing;
  return {
    ...scenario,
    orchestrators: orchestrators ?? scenario.orchestrators,
    workers: scenario.workers.slice(0, workers ?? undefined),
    jobs: scenario.jobs.filter((_, i) => jobs === null || jobs.includes(i)),
    faults: { ...scenario.faults, ...Object.fromEntries(without.map((name) => [name, 0])) },
    faultsUntilMs: faultsUntilMs ?? scenario.faultsUntilMs,
  };
}

/** The narrowing as options of the command that replays it. */
export function optionsOf({
  without,
  jobs,
  workers,
  orchestrators,
  faultsUntilMs,
}: Narrowing): string[] {
  return [
    ...(without.length === 0 ? [] : [`--without=${without.join(',')}`]),
    ...(jobs === null ? [] : [`--jobs=${jobs.join(',')}`]),
    ...(workers === null ? [] : [`--workers=${workers}`]),
    ...(orchestrators === null ? [] : [`--orchestrators=${orchestrators}`]),
    ...(faultsUntilMs === null ? [] : [`--faults-until-ms=${faultsUntilMs}`]),
  ];
}
