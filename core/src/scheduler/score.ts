import type { OpenWorker, QueuedTask } from './snapshot.js';

/** Points are millionths, whole numbers: two machines must rank the same workers the same way. */
const POINT = 1_000_000;

/** One named reason for or against a worker. */
export interface Term {
  readonly name: 'affinity' | 'price' | 'spread';
  readonly points: number;
}

/** Goes into every decision record; changes whenever a term or weight does. */
export const POLICY = 'first-fit-score/1';

const WEIGHTS = { affinity: 4, price: 2, spread: 1 } as const;

/** How good a worker with room is for a task, term by term. */
export function scoreTerms(task: QueuedTask, worker: OpenWorker): readonly Term[] {
  return [
    { name: 'affinity', points: task.preferred === worker.id ? WEIGHTS.affinity * POINT : 0 },
    { name: 'price', points: -WEIGHTS.price * price(task, worker) },
    { name: 'spread', points: WEIGHTS.spread * freeShare(worker) },
  ];
}

/** The sum of the terms; written out because it runs for every pair of task and worker. */
export function score(task: QueuedTask, worker: OpenWorker): number {
  return (
    (task.preferred === worker.id ? WEIGHTS.affinity * POINT : 0) -
    WEIGHTS.price * price(task, worker) +
    WEIGHTS.spread * freeShare(worker)
  );
}

/** The ask in millionths of a token an hour, capped so that one dear worker cannot drown the other terms. */
function price(task: QueuedTask, worker: OpenWorker): number {
  const ask = task.needs.resources.gpuMilli > 0 ? worker.gpuAsk : worker.cpuAsk;
  return ask > 100n * BigInt(POINT) ? 100 * POINT : Number(ask);
}

/** Free CPU as a share of all, in millionths: work spreads over the machines. */
function freeShare({ free, total }: OpenWorker): number {
  return total.cpuMilli === 0 ? 0 : Math.floor((free.cpuMilli * POINT) / total.cpuMilli);
}
