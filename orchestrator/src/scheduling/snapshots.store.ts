import type { OpenWorker, Snapshot } from '@tidemill/core/scheduler';

/**
 * A worker that did not take a task is not asked for it again for so long: a deaf one that is cheap would otherwise get it every time
 * and keep it from the others, and one that refuses at once would be asked thousands of times.
 */
export const PASSED_MS = 10_000;

/** Reads the view one scheduling turn decides on. What changes before the plan is committed makes that placement be refused. */
export abstract class Snapshots {
  /** The `limit` tasks that are first in line, and every worker that is online; null when there is nothing to place. */
  abstract take(limit: number): Promise<Snapshot | null>;

  /** Every worker that is online, less what its live attempts use. */
  abstract workers(): Promise<OpenWorker[]>;
}
