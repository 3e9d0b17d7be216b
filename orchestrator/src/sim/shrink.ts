import { FAULT_NAMES, narrowed, WHOLE, type Narrowing } from './narrowing.js';
import type { Parts } from './parts.js';
import type { Scenario } from './scenario.js';
import { simulate } from './simulate.js';

/** Runs that shrinking may take: some seconds. */
const MAX_RUNS = 120;

/** Leaves away what is not needed for a scenario to break the same rule: kinds of faults, jobs, workers, orchestrators, time. */
export async function shrink(scenario: Scenario, parts: Parts, rule: string): Promise<Narrowing> {
  let kept = WHOLE;
  let runs = 0;
  const keepIfBroken = async (smaller: Narrowing): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs += 1;
    const { violation } = await simulate(narrowed(scenario, smaller), parts);
    if (violation?.name !== rule) return false;
    kept = smaller;
    return true;
  };
  for (const name of FAULT_NAMES)
    if (scenario.faults[name] > 0)
      await keepIfBroken({ ...kept, without: [...kept.without, name] });
  for (let job = scenario.jobs.length - 1; job >= 0; job -= 1) {
    const jobs: readonly number[] = kept.jobs ?? scenario.jobs.map((_, i) => i);
    if (jobs.length > 1)
      await keepIfBroken({ ...kept, jobs: jobs.filter((other) => other !== job) });
  }
  for (let workers = scenario.workers.length - 1; workers > 0; workers -= 1)
    if (!(await keepIfBroken({ ...kept, workers }))) break;
  for (let count = scenario.orchestrators - 1; count > 0; count -= 1)
    if (!(await keepIfBroken({ ...kept, orchestrators: count }))) break;
  for (let untilMs = scenario.faultsUntilMs / 2; untilMs > 100; untilMs /= 2)
    if (!(await keepIfBroken({ ...kept, faultsUntilMs: Math.round(untilMs) }))) break;
  return kept;
}
