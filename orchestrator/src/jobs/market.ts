import { Injectable } from '@nestjs/common';
import { suitable, type OpenWorker, type QueuedTask, type Removed } from '@tidemill/core/scheduler';
import type { Needs } from '@tidemill/core/job';
import { Capabilities, type TaskId, type WorkerId } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';

/** Asks change slowly; reading all workers for every job would cost more than the job. */
const KEPT_MS = 1_000;

export interface WorkerRow {
  readonly id: WorkerId;
  readonly revision: number;
  readonly capabilities: string;
  readonly gpu_milli: number;
  readonly vram_mib: number;
  readonly cpu_milli: number;
  readonly memory_mib: number;
  readonly disk_mib: number;
  readonly slots: number;
  readonly gpu_ask: bigint;
  readonly cpu_ask: bigint;
}

export const WORKER_COLUMNS =
  'id, revision, capabilities, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, slots, gpu_ask, cpu_ask';

/** Parsed capabilities by their text: there are few different ones, and they are read every turn. */
const parsed = new Map<string, Capabilities>();
const MAX_PARSED = 10_000;

function capabilitiesOf(text: string): Capabilities {
  let capabilities = parsed.get(text);
  if (capabilities === undefined) {
    capabilities = Capabilities.parse(JSON.parse(text));
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(text, capabilities);
  }
  return capabilities;
}

/** A worker's row as the scheduler sees it, with everything free. */
export function openWorker(row: WorkerRow): OpenWorker {
  const total = {
    gpuMilli: row.gpu_milli,
    vramMib: row.vram_mib,
    cpuMilli: row.cpu_milli,
    memoryMib: row.memory_mib,
    diskMib: row.disk_mib,
  };
  return {
    id: row.id,
    revision: row.revision,
    capabilities: capabilitiesOf(row.capabilities),
    total,
    free: total,
    freeSlots: row.slots,
    gpuAsk: row.gpu_ask,
    cpuAsk: row.cpu_ask,
  };
}

/** What could run a job, and what it asks: for holds and for plans. */
@Injectable()
export class Market {
  private workers: readonly OpenWorker[] = [];
  private readMs = -Infinity;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /** Workers online that could ever run such a task, and what removed the others. */
  async suitableFor(
    needs: Needs,
    maxGpuAsk: bigint | null,
    maxCpuAsk: bigint | null,
  ): Promise<{
    suitable: readonly OpenWorker[];
    removedBy: readonly Removed[];
    considered: number;
  }> {
    const workers = await this.online();
    return { ...suitable(probe(needs, maxGpuAsk, maxCpuAsk), workers), considered: workers.length };
  }

  private async online(): Promise<readonly OpenWorker[]> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.readMs > KEPT_MS) {
      const rows = await this.db.query<WorkerRow>(
        `SELECT ${WORKER_COLUMNS} FROM workers WHERE state = 'online' ORDER BY id`,
      );
      this.workers = rows.map(openWorker);
      this.readMs = nowMs;
    }
    return this.workers;
  }
}

/** A task with these needs that nothing else is known of. */
export function probe(
  needs: Needs,
  maxGpuAsk: bigint | null,
  maxCpuAsk: bigint | null,
): QueuedTask {
  return {
    id: '' as TaskId, // never looked at: only needs and asks decide suitability
    fence: 0,
    priority: 1,
    needs,
    family: null,
    runtimeClass: null,
    maxGpuAsk,
    maxCpuAsk,
    excluded: [],
    preferred: null,
  };
}
