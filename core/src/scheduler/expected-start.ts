/** Two of the percentiles of something measured, in milliseconds, and how often it was. */
export interface Measured {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
}

/** What is known of a task's way to a worker. */
export interface QueueFacts {
  /** Workers online that could ever run it, and those of them with room for it now. */
  readonly suitable: number;
  readonly free: number;
  /** Attempts that run on them now. */
  readonly running: number;
  /** Tasks in line before it that one of them could take. */
  readonly ahead: number;
  /** From acceptance to start, of the newest jobs. */
  readonly starts: Measured;
  /** From start to end, of the newest attempts on those workers. */
  readonly runs: Measured;
}

export type StartEstimate =
  | { readonly basis: 'warm' | 'queue'; readonly p50Ms: number; readonly p90Ms: number }
  | { readonly basis: null; readonly reason: string };

/** So many measurements say how long something takes; fewer say little about the slow tenth. */
export const MIN_MEASURED = 20;

/**
 * When a task will start, in milliseconds from now, or why nothing can be said: no figure is made up. With a free worker and nothing
 * ahead it starts as the newest jobs did, which is careful when some of them had to wait. Behind others it starts once those that
 * run and those ahead have had their turns, as long as the newest attempts took.
 */
export function expectedStart(facts: QueueFacts): StartEstimate {
  const { suitable, free, running, ahead, starts, runs } = facts;
  if (suitable === 0)
    return { basis: null, reason: 'No worker that is online could run it; removedBy says why.' };
  if (free > 0 && ahead === 0) {
    return starts.count < MIN_MEASURED
      ? {
          basis: null,
          reason: `${free} workers are free and nothing waits ahead, so it starts at once; only ${starts.count} jobs have started here, too few to say how long that takes.`,
        }
      : { basis: 'warm', p50Ms: starts.p50, p90Ms: starts.p90 };
  }
  const line = `${free} of ${suitable} suitable workers are free and ${ahead} tasks wait ahead`;
  const lanes = running + free;
  if (runs.count < MIN_MEASURED || lanes === 0) {
    return {
      basis: null,
      reason: `${line}; only ${runs.count} attempts have ended there, too few to say how long they take.`,
    };
  }
  return {
    basis: 'queue',
    p50Ms: ((ahead + 1) * runs.p50) / lanes,
    p90Ms: Math.ceil((ahead + 1) / lanes) * runs.p90,
  };
}
