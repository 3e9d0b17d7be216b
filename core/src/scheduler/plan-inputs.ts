import {
  bytesToHex,
  utf8ToBytes,
  type PlanInputs,
  type Sha256,
  type WorkerKind,
} from '@tidemill/protocol';
import type { Plan } from './place.js';
import { POLICY } from './score.js';
import type { OpenWorker, QueuedTask, Snapshot } from './snapshot.js';

/** A text and its SHA-256 in hex, by which it is kept and named. */
export interface DigestedText {
  readonly digest: string;
  readonly text: string;
}

export interface KeptInputs {
  readonly inputs: DigestedText;
  /** The kinds of workers that the inputs name. */
  readonly workerKinds: readonly DigestedText[];
}

/** Kinds of workers by what makes them: they are the same from turn to turn, so their texts are made once. */
const MAX_KINDS = 10_000;

/** Spells what a plan was decided on: every worker, and the tasks it placed (G16). One of these keeps kinds it has spelled. */
export class PlanInputsWriter {
  private kinds = new WeakMap<OpenWorker['capabilities'], Map<string, DigestedText>>();
  private kept = 0;

  constructor(private readonly sha256: Sha256) {}

  write(snapshot: Snapshot, plan: Plan): KeptInputs {
    const placed = new Set(plan.placements.map(({ taskId }) => taskId));
    const workerKinds: DigestedText[] = [];
    const kindNumbers = new Map<DigestedText, number>();
    const workers = snapshot.workers.map((worker): PlanInputs['workers'][number] => {
      const kind = this.kindOf(worker);
      let number = kindNumbers.get(kind);
      if (number === undefined) {
        number = workerKinds.push(kind) - 1;
        kindNumbers.set(kind, number);
      }
      const { gpuMilli, vramMib, cpuMilli, memoryMib, diskMib } = worker.free;
      const { id, revision, freeSlots, operator } = worker;
      return [
        id,
        revision,
        number,
        gpuMilli,
        vramMib,
        cpuMilli,
        memoryMib,
        diskMib,
        freeSlots,
        operator,
      ];
    });
    const taskKinds: PlanInputs['taskKinds'] = [];
    const numbers = new Map<QueuedTask['needs'], Map<string, number>>();
    const tasks = snapshot.queued
      .filter(({ id }) => placed.has(id))
      .map((task): PlanInputs['tasks'][number] => {
        const { id, fence, family, runtimeClass, excluded, excludedOperators, preferred } = task;
        const number = taskKindOf(task, taskKinds, numbers);
        return [
          id,
          fence,
          number,
          family,
          runtimeClass,
          [...excluded],
          preferred,
          [...excludedOperators],
        ];
      });
    const inputs: PlanInputs = {
      format: 'tidemill/plan-inputs/1',
      policy: POLICY,
      workerKinds: workerKinds.map(({ digest }) => digest),
      workers,
      taskKinds,
      tasks,
    };
    return { inputs: digested(JSON.stringify(inputs), this.sha256), workerKinds };
  }

  private kindOf({ capabilities, total, gpuAsk, cpuAsk }: OpenWorker): DigestedText {
    const { gpuMilli, vramMib, cpuMilli, memoryMib, diskMib } = total;
    const rest = `${gpuMilli} ${vramMib} ${cpuMilli} ${memoryMib} ${diskMib} ${gpuAsk} ${cpuAsk}`;
    let beside = this.kinds.get(capabilities);
    if (beside === undefined) {
      beside = new Map();
      this.kinds.set(capabilities, beside);
    }
    const known = beside.get(rest);
    if (known !== undefined) return known;
    const kind: WorkerKind = {
      capabilities,
      total: { gpuMilli, vramMib, cpuMilli, memoryMib, diskMib },
      gpuAsk: String(gpuAsk),
      cpuAsk: String(cpuAsk),
    };
    const made = digested(JSON.stringify(kind), this.sha256);
    // Whoever changes its asks all the time may not fill our memory.
    if (this.kept >= MAX_KINDS) {
      beside = new Map();
      this.kinds = new WeakMap();
      this.kinds.set(capabilities, beside);
      this.kept = 0;
    }
    beside.set(rest, made);
    this.kept += 1;
    return made;
  }
}

function taskKindOf(
  { priority, needs, maxGpuAsk, maxCpuAsk }: QueuedTask,
  kinds: PlanInputs['taskKinds'],
  numbers: Map<QueuedTask['needs'], Map<string, number>>,
): number {
  const beside = numbers.get(needs) ?? new Map<string, number>();
  numbers.set(needs, beside);
  const rest = `${priority} ${maxGpuAsk} ${maxCpuAsk}`;
  const known = beside.get(rest);
  if (known !== undefined) return known;
  const text = (ask: bigint | null): string | null => (ask === null ? null : String(ask));
  const { runtime, resources, gpuModels, isolation } = needs;
  const number =
    kinds.push({
      priority,
      needs: { runtime, resources: { ...resources }, gpuModels: [...gpuModels], isolation },
      maxGpuAsk: text(maxGpuAsk),
      maxCpuAsk: text(maxCpuAsk),
    }) - 1;
  beside.set(rest, number);
  return number;
}

export function digested(text: string, sha256: Sha256): DigestedText {
  return { digest: bytesToHex(sha256(utf8ToBytes(text))), text };
}
