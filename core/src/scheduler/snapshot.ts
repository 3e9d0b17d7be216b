import type { Capabilities, Resources, TaskId, WorkerId } from '@tidemill/protocol';
import type { Needs } from '../job/index.js';

/** A task that waits for a worker. */
export interface QueuedTask {
  readonly id: TaskId;
  /** The fence it was read with; a plan made on an older one is refused. */
  readonly fence: number;
  /** 0 low, 1 normal, 2 high. */
  readonly priority: number;
  readonly needs: Needs;
  /** Executions of one task, when there are several: they go to different workers. Null for a task that runs once. */
  readonly family: string | null;
  /** Executions of one task are compared bit for bit, so they stay inside one runtime class. */
  readonly runtimeClass: string | null;
  /** Highest asks accepted, in base units an hour; null for no limit. */
  readonly maxGpuAsk: bigint | null;
  readonly maxCpuAsk: bigint | null;
  /** Workers that ran another copy of the task, or failed it. */
  readonly excluded: readonly WorkerId[];
  /** Operators whose machines ran another copy: nobody may confirm a result of their own. */
  readonly excludedOperators: readonly string[];
  /** The worker that holds the checkpoint this task starts from. */
  readonly preferred: WorkerId | null;
}

/** A worker that may be given work. */
export interface OpenWorker {
  readonly id: WorkerId;
  /** Changes with its profile or state; a plan made on an older one is refused. */
  readonly revision: number;
  readonly capabilities: Capabilities;
  readonly total: Resources;
  readonly free: Resources;
  readonly freeSlots: number;
  /** Whose machine it is; null when it did not say. */
  readonly operator: string | null;
  readonly gpuAsk: bigint;
  readonly cpuAsk: bigint;
}

/** The frozen view one scheduling turn decides on. */
export interface Snapshot {
  readonly queued: readonly QueuedTask[];
  readonly workers: readonly OpenWorker[];
}
