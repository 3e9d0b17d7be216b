/** A job queue of somebody else, with no-op jobs. */
export interface PeerQueue {
  /** Puts jobs in, committed when it settles. */
  enqueue(jobs: number): Promise<void>;
  /** Runs that many jobs; settles when the completion of the last one is committed. */
  run(jobs: number): Promise<void>;
  close(): Promise<void>;
}

/** Jobs in one call that puts jobs in: what the peers' own benchmarks use. */
const ENQUEUE_BATCH = 500;

/** Calls `put` with batch sizes that add up to `jobs`. */
export async function inBatches(
  jobs: number,
  put: (size: number) => Promise<unknown>,
): Promise<void> {
  for (let left = jobs; left > 0; left -= ENQUEUE_BATCH) await put(Math.min(left, ENQUEUE_BATCH));
}
