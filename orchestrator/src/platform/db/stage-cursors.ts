import type { Tx } from './db.js';

/** A window of settled transactions: [from, to). */
export interface Window {
  readonly from: string;
  readonly to: string;
}

/** How far each stage has read the rows of the one before it. */
export abstract class StageCursors {
  /**
   * The transactions that have settled since the stage's last turn. It keeps other replicas out until the caller's transaction ends.
   * A row whose transaction id is below the oldest running one can no longer be joined by a late commit, so a window is read once
   * and completely, without marking every row as done.
   */
  abstract open(tx: Tx, stage: string): Promise<Window>;

  /** Moves the cursor to the end of what was read. */
  abstract close(tx: Tx, stage: string, to: string): Promise<void>;
}
