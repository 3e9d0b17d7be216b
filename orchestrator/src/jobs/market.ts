import { Injectable } from '@nestjs/common';
import { suitable, type OpenWorker, type QueuedTask, type Removed } from '@tidemill/core/scheduler';
import type { Needs } from '@tidemill/core/job';
import type { TaskId } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { JobsStore } from './jobs.store.js';

/** Asks change slowly; reading all workers for every job would cost more than the job. */
const KEPT_MS = 1_000;

/** What could run a job, and what it asks: for holds and for plans. */
@Injectable()
export class Market {
  private workers: readonly OpenWorker[] = [];
  private readMs = -Infinity;

  constructor(
    private readonly db: Db,
    private readonly store: JobsStore,
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
      this.workers = await this.store.workersOnline(this.db);
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
    excludedOperators: [],
    preferred: null,
  };
}
