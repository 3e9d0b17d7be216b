import { cpuSeconds } from '../cpu.js';

/** What happened between two readings: the clock on the wall, and CPU seconds by who used them. */
export interface Spent<Who extends string> {
  readonly wallSeconds: number;
  readonly cpuSeconds: Readonly<Record<Who, number>>;
  /** All of `cpuSeconds` together. */
  readonly totalCpuSeconds: number;
}

/** Starts measuring process trees; each call of what it returns says what they have used since the start. */
export function startMeter<Who extends string>(
  roots: Readonly<Record<Who, number>>,
): () => Spent<Who> {
  const names = Object.keys(roots) as Who[];
  const read = () => names.map((name) => cpuSeconds(roots[name]));
  const startedAt = performance.now();
  const atStart = read();
  return () => {
    const used = read().map((seconds, i) => seconds - (atStart[i] ?? 0));
    return {
      wallSeconds: (performance.now() - startedAt) / 1000,
      cpuSeconds: Object.fromEntries(names.map((name, i) => [name, used[i]])) as Record<
        Who,
        number
      >,
      totalCpuSeconds: used.reduce((sum, seconds) => sum + seconds, 0),
    };
  };
}
