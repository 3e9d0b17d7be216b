import type { Kernel, Scheduled } from './kernel.js';

const NAMES = ['setTimeout', 'clearTimeout', 'setImmediate'] as const;

/**
 * Hands the timers that code asks for to the kernel while `work` runs, for the process whose event is running. Nothing else of
 * this thread runs meanwhile, since the kernel never gives up the thread.
 */
export async function withVirtualTimers<T>(kernel: Kernel, work: () => Promise<T>): Promise<T> {
  const real = NAMES.map((name) => globalThis[name]);
  const virtual = [
    (run: () => void, delayMs = 0) => kernel.after(delayMs, kernel.current, 'timer', run),
    (timer?: Scheduled) => timer?.cancel(),
    (run: () => void) => kernel.after(0, kernel.current, 'immediate', run),
  ];
  NAMES.forEach((name, i) => Object.assign(globalThis, { [name]: virtual[i] }));
  try {
    return await work();
  } finally {
    NAMES.forEach((name, i) => Object.assign(globalThis, { [name]: real[i] }));
  }
}
