import { ISOLATION_LEVELS, type IsolationLevel, type TaskPayload } from '@tidemill/protocol';
import type { Runner, RunnerOffer } from '../runtime/runner.js';

type Runtime = TaskPayload['runtime'];

/** A runtime this machine was found to offer. */
export interface OfferedRunner {
  readonly runner: Runner;
  readonly offer: RunnerOffer;
}

/** The runtimes of this machine, by name. */
export class Runners {
  private readonly byName: ReadonlyMap<Runtime, OfferedRunner>;

  constructor(offered: readonly OfferedRunner[]) {
    this.byName = new Map(offered.map((one) => [one.offer.runtime, one]));
  }

  find(runtime: Runtime): OfferedRunner | undefined {
    return this.byName.get(runtime);
  }

  get offers(): readonly RunnerOffer[] {
    return [...this.byName.values()].map(({ offer }) => offer);
  }

  /** The weakest isolation in which code of a job would run: the noop runtime runs none. */
  get isolation(): IsolationLevel {
    const withCode = this.offers.filter(({ runtime }) => runtime !== 'noop');
    const judged = withCode.length > 0 ? withCode : this.offers;
    const weakest = Math.min(...judged.map(({ isolation }) => ISOLATION_LEVELS.indexOf(isolation)));
    return ISOLATION_LEVELS[weakest] ?? 'none';
  }
}

/** Asks every runtime what it offers here; one that offers nothing is left out and its reason told. */
export async function offeredRunners(
  runners: readonly Runner[],
  unavailable: (runtime: Runtime, reason: string) => void,
): Promise<Runners> {
  const asked = await Promise.all(
    runners.map(async (runner) => ({ runner, answer: await runner.offer() })),
  );
  return new Runners(
    asked.flatMap(({ runner, answer }) => {
      if (answer.ok) return [{ runner, offer: answer.offer }];
      unavailable(runner.runtime, answer.reason);
      return [];
    }),
  );
}
