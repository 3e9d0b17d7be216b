import type { Resources, TaskId, WorkerId } from '@tidemill/protocol';
import { hasRoom, runtimeClassOf, suitable, type Removed } from './feasible.js';
import { score } from './score.js';
import type { OpenWorker, QueuedTask, Snapshot } from './snapshot.js';

/** A task on a worker, with what the decision was taken on. */
export interface Placement {
  readonly taskId: TaskId;
  readonly fence: number;
  readonly workerId: WorkerId;
  readonly revision: number;
  readonly considered: number;
  readonly removedBy: readonly Removed[];
  readonly busy: number;
  /** The best few candidates and their scores, the chosen one first. */
  readonly candidates: readonly { readonly workerId: WorkerId; readonly score: number }[];
}

export interface Unplaced {
  readonly taskId: TaskId;
  readonly reason: 'no_suitable_worker' | 'all_suitable_busy';
  readonly removedBy: readonly Removed[];
}

export interface Plan {
  readonly placements: readonly Placement[];
  readonly unplaced: readonly Unplaced[];
}

/** Candidates kept in a placement: enough to see how close the choice was. */
const SHOWN_CANDIDATES = 3;

/** What was placed of one task in this turn. */
interface Family {
  readonly workers: WorkerId[];
  readonly operators: string[];
  readonly runtimeClass: string | null;
}

interface Group {
  readonly suitable: OpenWorker[];
  readonly removedBy: readonly Removed[];
}

/**
 * Decides, from one frozen view of the network, which worker takes which task. Higher priority goes first, then the older id;
 * a plan never exceeds a worker and does not depend on the order rows arrive in.
 */
export function place(snapshot: Snapshot): Plan {
  const placements: Placement[] = [];
  const unplaced: Unplaced[] = [];
  const workers = [...snapshot.workers]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((worker) => ({ ...worker }));
  const groups = new Map<string, Group>();
  const families = new Map<string, Family>();
  const given = new Map<WorkerId, number>();
  // A group whose workers are all full stays so for the rest of the turn.
  const full = new Set<Group>();
  let last: {
    readonly group: Group;
    readonly preferred: WorkerId | null;
    readonly ranking: Ranking;
  } | null = null;

  for (const queued of [...snapshot.queued].sort(byPriority)) {
    const task = besideItsFamily(queued, families);
    const group = groupOf(task, workers, groups);
    const ranking: Ranking = full.has(group)
      ? NOBODY
      : ((last?.group === group && last.preferred === task.preferred
          ? again(task, last.ranking, given)
          : null) ?? rank(task, group.suitable, given));
    last = { group, preferred: task.preferred, ranking };
    const { best, busy } = ranking;
    const [first] = best;
    if (first === undefined) {
      full.add(group);
      unplaced.push({
        taskId: task.id,
        reason: group.suitable.length === 0 ? 'no_suitable_worker' : 'all_suitable_busy',
        removedBy: group.removedBy,
      });
      continue;
    }
    placements.push({
      taskId: task.id,
      fence: task.fence,
      workerId: first.worker.id,
      revision: first.worker.revision,
      considered: workers.length,
      removedBy: group.removedBy,
      busy,
      candidates: best.map(({ worker, points }) => ({ workerId: worker.id, score: points })),
    });
    take(first.worker, task.needs.resources);
    given.set(first.worker.id, (given.get(first.worker.id) ?? 0) + 1);
    if (task.family !== null) {
      const family = families.get(task.family) ?? {
        workers: [],
        operators: [],
        runtimeClass: runtimeClassOf(first.worker, task.needs.runtime),
      };
      family.workers.push(first.worker.id);
      if (first.worker.operator !== null) family.operators.push(first.worker.operator);
      families.set(task.family, family);
    }
  }
  return { placements, unplaced };
}

function byPriority(a: QueuedTask, b: QueuedTask): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : 1);
}

/** What was placed of the same family in this turn binds the task like what runs already. */
function besideItsFamily(task: QueuedTask, families: ReadonlyMap<string, Family>): QueuedTask {
  const family = task.family === null ? undefined : families.get(task.family);
  if (family === undefined) return task;
  return {
    ...task,
    excluded: [...task.excluded, ...family.workers],
    excludedOperators: [...task.excludedOperators, ...family.operators],
    runtimeClass: task.runtimeClass ?? family.runtimeClass,
  };
}

/** Tasks that ask the same share one look at the lasting constraints. */
function groupOf(task: QueuedTask, workers: OpenWorker[], groups: Map<string, Group>): Group {
  const { needs } = task;
  // As JSON, since a model's name may hold any separator: ['RTX 4090'] asks for something else than ['RTX', '4090'].
  const key = JSON.stringify([
    needs.runtime,
    ...Object.values(needs.resources),
    needs.isolation,
    needs.gpuModels,
    task.runtimeClass,
    String(task.maxGpuAsk),
    String(task.maxCpuAsk),
    task.excluded,
    task.excludedOperators,
  ]);
  let group = groups.get(key);
  if (group === undefined) {
    group = suitable(task, workers);
    groups.set(key, group);
  }
  return group;
}

interface Ranking {
  readonly best: { readonly worker: OpenWorker; readonly points: number }[];
  /** Suitable workers without room. */
  readonly busy: number;
}

const NOBODY: Ranking = { best: [], busy: 0 };

/** The best few workers with room, best first; ties go to the lower id, since workers are in order of id. */
function rank(
  task: QueuedTask,
  suitable: readonly OpenWorker[],
  given: ReadonlyMap<WorkerId, number>,
): Ranking {
  const best: Ranking['best'] = [];
  let busy = 0;
  for (const worker of suitable) {
    if (!hasRoom(task, worker)) {
      busy += 1;
      continue;
    }
    const points = score(task, worker, given.get(worker.id) ?? 0);
    const last = best.at(-1);
    if (best.length === SHOWN_CANDIDATES && last !== undefined && points <= last.points) continue;
    const at = best.findIndex((other) => points > other.points);
    best.splice(at < 0 ? best.length : at, 0, { worker, points });
    if (best.length > SHOWN_CANDIDATES) best.pop();
  }
  return { best, busy };
}

/**
 * The ranking after its first was given a task of the same group: nobody else has changed, so it stands while the first has room
 * and is still ahead of the second. Null when all have to be ranked anew.
 */
function again(
  task: QueuedTask,
  { best, busy }: Ranking,
  given: ReadonlyMap<WorkerId, number>,
): Ranking | null {
  const [first, ...others] = best;
  if (first === undefined || !hasRoom(task, first.worker)) return null;
  const points = score(task, first.worker, given.get(first.worker.id) ?? 0);
  const second = others[0];
  if (second !== undefined && points <= second.points) return null;
  return { best: [{ worker: first.worker, points }, ...others], busy };
}

/** Workers here are copies made for this turn, so they may change. */
function take(worker: OpenWorker, needs: Resources): void {
  const changing = worker as { free: Resources; freeSlots: number };
  changing.free = {
    gpuMilli: worker.free.gpuMilli - needs.gpuMilli,
    vramMib: worker.free.vramMib - needs.vramMib,
    cpuMilli: worker.free.cpuMilli - needs.cpuMilli,
    memoryMib: worker.free.memoryMib - needs.memoryMib,
    diskMib: worker.free.diskMib - needs.diskMib,
  };
  changing.freeSlots -= 1;
}
