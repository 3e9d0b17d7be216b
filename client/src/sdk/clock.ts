import { setTimeout as delay } from 'node:timers/promises';

/** Time and chance, as the SDK uses them; tests bring their own. */
export interface Clock {
  nowMs(): number;
  /** In [0, 1). */
  random(): number;
  /** Rejects with the signal's reason when it is aborted meanwhile. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
