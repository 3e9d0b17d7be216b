import type { OpenWorker, QueuedTask } from './snapshot.js';

/** Points are millionths, whole numbers: two machines must rank the same workers the same way. */
const POINT = 1_000_000;

/** One named reason for or against a worker. */
export interface Term {
  readonly name: 'affinity' | 'price' | 'spread' | 'together';
  readonly points: number;
}

/** Goes into every decision record; changes whenever a term or weight does. */
export const POLICY = 'first-fit-score/2';

const WEIGHTS = { affinity: 4, price: 2, spread: 1 } as const;

/**
 * Small tasks go to one worker a handful at a time: their offers share a frame and their receipts a signature. The bonus is a
 * quarter of the spread between a full worker and a free one, so tasks that fill a quarter of a machine still spread.
 */
const TOGETHER_POINTS = POINT / 4;
const MAX_TOGETHER = 32;

/** How good a worker with room is for a task, term by term. `given` is how many tasks this turn has given it already. */
export function scoreTerms(task: QueuedTask, worker: OpenWorker, given: number): readonly Term[] {
  return [
    { name: 'affinity', points: task.preferred === worker.id ? WEIGHTS.affinity * POINT : 0 },
    { name: 'price', points: -WEIGHTS.price * price(task, worker) },
    { name: 'spread', points: WEIGHTS.spread * freeShare(worker) },
    { name: 'together', points: together(given) },
  ];
}

/** The sum of the terms; written out because it runs for every pair of task and worker. */
export function score(task: QueuedTask, worker: OpenWorker, given: number): number {
  return (
    (task.preferred === worker.id ? WEIGHTS.affinity * POINT : 0) -
    WEIGHTS.price * price(task, worker) +
    WEIGHTS.spread * freeShare(worker) +
    together(given)
  );
}

const together = (given: number): number =>
  given > 0 && given < MAX_TOGETHER ? TOGETHER_POINTS : 0;

const MAX_PRICE_POINTS = 100 * POINT;

/** The ask in millionths of a token an hour, capped so that one dear worker cannot drown the other terms. */
function price(task: QueuedTask, worker: OpenWorker): number {
  const ask = Number(task.needs.resources.gpuMilli > 0 ? worker.gpuAsk : worker.cpuAsk);
  return Math.min(ask, MAX_PRICE_POINTS);
}

/** Free CPU as a share of all, in millionths: work spreads over the machines. */
function freeShare({ free, total }: OpenWorker): number {
  return total.cpuMilli === 0 ? 0 : Math.floor((free.cpuMilli * POINT) / total.cpuMilli);
}
