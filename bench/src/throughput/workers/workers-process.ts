import { answer } from '../../child.js';
import { loopbackAddress } from '../../loopback.js';
import { each } from '../each.js';
import type { OrchestratorAddress } from './orchestrator-address.js';
import { type Passage, SimulatedWorker, type WorkerTally } from './simulated-worker.js';

/** Logins at once: a burst of all of them would measure the orchestrator's login limits. */
const LOGINS_AT_ONCE = 16;

export interface JoinOptions {
  readonly orchestrator: OrchestratorAddress;
  /** Number of the first worker, which gives it its name and address. */
  readonly first: number;
  readonly count: number;
  readonly linger: boolean;
}

const workers: SimulatedWorker[] = [];
const passages: Passage[] = [];

const handlers = {
  join: async ({ orchestrator, first, count, linger }: JoinOptions) => {
    const joining = Array.from({ length: count }, (_, i) => {
      const worker = new SimulatedWorker({
        orchestrator,
        name: `bench-${first + i}`,
        localAddress: loopbackAddress(first + i),
        linger,
        onStarted: (passage) => passages.push(passage),
      });
      workers.push(worker);
      return worker;
    });
    await each(joining, LOGINS_AT_ONCE, (worker) => worker.join());
  },
  /** When attempts passed, since the last call. */
  passages: (): Passage[] => passages.splice(0),
  tally: (): WorkerTally => {
    const tallies = workers.map((worker) => worker.tally());
    return {
      started: tallies.reduce((sum, { started }) => sum + started, 0),
      stored: tallies.reduce((sum, { stored }) => sum + stored, 0),
      faults: tallies.flatMap(({ faults }) => faults),
    };
  },
  leave: () => workers.forEach((worker) => worker.leave()),
};
export type WorkersProcess = typeof handlers;

answer(handlers);
