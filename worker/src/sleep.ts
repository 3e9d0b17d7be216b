import type { Timers } from './clock.js';

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted. */
export function sleep(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(asError(signal.reason));
      return;
    }
    const stop = (): void => {
      cancel();
      reject(asError(signal.reason));
    };
    const cancel = timers.after(delayMs, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason));
