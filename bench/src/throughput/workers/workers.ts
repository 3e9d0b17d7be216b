import { availableParallelism } from 'node:os';
import { type Child, startChild } from '../../child.js';
import type { OrchestratorAddress } from './orchestrator-address.js';
import type { Passage, WorkerTally } from './simulated-worker.js';
import type { WorkersProcess } from './workers-process.js';

export interface WorkersOptions {
  readonly orchestrator: OrchestratorAddress;
  readonly count: number;
  readonly linger: boolean;
}

/** Simulated workers in processes of their own. */
export interface Workers {
  tally(): Promise<WorkerTally>;
  /** When attempts passed, since the last call. */
  passages(): Promise<Passage[]>;
}

/** Runs `work` while so many simulated workers are logged in. */
export async function withWorkers<T>(
  { orchestrator, count, linger }: WorkersOptions,
  work: (workers: Workers) => Promise<T>,
): Promise<T> {
  const children: Child<WorkersProcess>[] = [];
  try {
    const processes = Math.min(count, Math.max(2, Math.floor(availableParallelism() / 2)));
    const share = Math.ceil(count / processes);
    for (let first = 0; first < count; first += share) {
      children.push(
        await startChild<WorkersProcess>(new URL('./workers-process.js', import.meta.url)),
      );
    }
    await Promise.all(
      children.map((child, i) => {
        const first = i * share;
        return child.call('join', {
          orchestrator,
          first,
          count: Math.min(share, count - first),
          linger,
        });
      }),
    );
    return await work({
      tally: async () => {
        const tallies = await Promise.all(children.map((child) => child.call('tally', undefined)));
        return {
          started: tallies.reduce((sum, { started }) => sum + started, 0),
          stored: tallies.reduce((sum, { stored }) => sum + stored, 0),
          faults: tallies.flatMap(({ faults }) => faults),
        };
      },
      passages: async () =>
        (await Promise.all(children.map((child) => child.call('passages', undefined)))).flat(),
    });
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}
