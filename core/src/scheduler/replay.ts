import { parseJson, PlanInputs, WorkerKind, type Sha256 } from '@tidemill/protocol';
import { place, type Placement } from './place.js';
import { digested } from './plan-inputs.js';
import { POLICY } from './score.js';
import type { OpenWorker, QueuedTask, Snapshot } from './snapshot.js';

/** Longest inputs that are read: a thousand tasks among ten thousand workers take about a megabyte. */
const MAX_INPUTS = 64 * 1024 * 1024;

/**
 * Why a replay does not confirm a decision.
 * - `INPUTS_DIGEST`: the inputs are not those that the decision names.
 * - `INPUTS_MALFORMED`: they are no inputs, or name what is not there.
 * - `POLICY_UNKNOWN`: it was decided by rules that this program does not have.
 * - `NOT_PLACED`: on these inputs the task goes nowhere.
 * - `DIFFERS`: on these inputs something else is decided; `where` names the first member.
 */
type ReplayFaultCode =
  'INPUTS_DIGEST' | 'INPUTS_MALFORMED' | 'POLICY_UNKNOWN' | 'NOT_PLACED' | 'DIFFERS';

export type Replay =
  | {
      readonly equal: true;
      readonly placement: Placement;
      readonly workers: number;
      readonly tasks: number;
    }
  | {
      readonly equal: false;
      readonly code: ReplayFaultCode;
      readonly where: string;
      readonly recorded: string;
      readonly replayed: string;
    };

/** A decision record as the trail keeps it. */
export type DecisionRecord = Readonly<Record<string, unknown>>;

/** Decides again on what was recorded, and compares bit for bit (G16). Never throws. */
export function replay(
  record: DecisionRecord,
  kept: { readonly text: string; readonly workerKinds: readonly string[] },
  sha256: Sha256,
): Replay {
  const { digest } = digested(kept.text, sha256);
  if (record['inputs'] !== digest) {
    return differs('INPUTS_DIGEST', 'inputs', record['inputs'], digest);
  }
  if (record['policy'] !== POLICY) {
    return differs('POLICY_UNKNOWN', 'policy', record['policy'], POLICY);
  }
  const snapshot = snapshotOf(kept, sha256);
  if (snapshot === null) return differs('INPUTS_MALFORMED', 'inputs', digest, 'not readable');
  const placement = place(snapshot).placements.find(({ taskId }) => taskId === record['task']);
  if (placement === undefined) return differs('NOT_PLACED', 'task', record['task'], 'nowhere');
  const task = snapshot.queued.find(({ id }) => id === placement.taskId);
  const again = recordOf(placement, task?.priority);
  for (const where of Object.keys(again)) {
    const [recorded, replayed] = [JSON.stringify(record[where]), JSON.stringify(again[where])];
    if (recorded !== replayed) return differs('DIFFERS', where, recorded, replayed);
  }
  const { workers, queued } = snapshot;
  return { equal: true, placement, workers: workers.length, tasks: queued.length };
}

/** What a decision record says of a placement; the trail's event holds these members among others. */
export function recordOf(placement: Placement, priority: number | undefined): DecisionRecord {
  const { workerId, fence, considered, removedBy, busy, candidates } = placement;
  return {
    worker: workerId,
    // A lease raises the fence that the plan was made on.
    fence: fence + 1,
    policy: POLICY,
    priority,
    considered,
    removed: Object.fromEntries(removedBy.map(({ constraint, removed }) => [constraint, removed])),
    busy,
    candidates: candidates.map(({ workerId: id, score }) => [id, score]),
  };
}

/** The view that was decided on; null when it cannot be read. */
function snapshotOf(
  { text, workerKinds }: { readonly text: string; readonly workerKinds: readonly string[] },
  sha256: Sha256,
): Snapshot | null {
  const inputs = PlanInputs.safeParse(jsonOf(text));
  if (!inputs.success) return null;
  const byDigest = new Map(workerKinds.map((kind) => [digested(kind, sha256).digest, kind]));
  const kinds = inputs.data.workerKinds.map((digest) =>
    WorkerKind.safeParse(jsonOf(byDigest.get(digest) ?? '')),
  );
  const workers: OpenWorker[] = [];
  for (const [
    id,
    revision,
    kind,
    gpuMilli,
    vramMib,
    cpuMilli,
    memoryMib,
    diskMib,
    freeSlots,
    operator,
  ] of inputs.data.workers) {
    const is = kinds[kind];
    if (is?.success !== true) return null;
    const { capabilities, total, gpuAsk, cpuAsk } = is.data;
    const free = { gpuMilli, vramMib, cpuMilli, memoryMib, diskMib };
    workers.push({
      id,
      revision,
      capabilities,
      total,
      free,
      freeSlots,
      operator,
      gpuAsk: BigInt(gpuAsk),
      cpuAsk: BigInt(cpuAsk),
    });
  }
  const queued: QueuedTask[] = [];
  for (const [
    id,
    fence,
    kind,
    family,
    runtimeClass,
    excluded,
    preferred,
    excludedOperators,
  ] of inputs.data.tasks) {
    const is = inputs.data.taskKinds[kind];
    if (is === undefined) return null;
    const { priority, needs, maxGpuAsk, maxCpuAsk } = is;
    queued.push({
      id,
      fence,
      priority,
      needs,
      family,
      runtimeClass,
      maxGpuAsk: maxGpuAsk === null ? null : BigInt(maxGpuAsk),
      maxCpuAsk: maxCpuAsk === null ? null : BigInt(maxCpuAsk),
      excluded,
      preferred,
      excludedOperators,
    });
  }
  return { queued, workers };
}

function jsonOf(text: string): unknown {
  const json = parseJson(text, MAX_INPUTS);
  return json.ok ? json.value : undefined;
}

function differs(
  code: ReplayFaultCode,
  where: string,
  recorded: unknown,
  replayed: unknown,
): Replay {
  return { equal: false, code, where, recorded: String(recorded), replayed: String(replayed) };
}
