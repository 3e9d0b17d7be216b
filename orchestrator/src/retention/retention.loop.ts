import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../config/env.js';
import { Clock } from '../platform/clock.js';
import { Loops } from '../platform/loop.js';
import { LOGGER } from '../platform/platform.module.js';
import { RetentionStore } from './retention.store.js';

/** A million jobs a day are 7,000 in this time: a dozen batches. */
const JOBS_EVERY_MS = 10 * 60_000;
/** Small, so that no other statement waits long for the rows or the disk. */
const BATCH = 500;
/** Autovacuum looks once a minute; this is for the first one of a network that is busy at once. */
const STATISTICS_EVERY_MS = 15_000;
/** Tables of days to come are there long before their day, also when this fails for a while. */
const LOGS_EVERY_MS = 3_600_000;
const LOG_DAYS_AHEAD = 3;

/** The stage's own clock: forgets what was kept for its time, little by little. */
@Injectable()
export class RetentionLoop {
  /** Where a pass over the old jobs has got to; it begins anew with each. What cannot go yet is passed over. */
  private after = '';

  constructor(
    private readonly config: Config,
    private readonly store: RetentionStore,
    private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    loops: Loops,
  ) {
    loops.add({ name: 'retention.jobs', everyMs: JOBS_EVERY_MS, turn: () => this.forgetJobs() });
    loops.add({
      name: 'retention.receipts',
      everyMs: JOBS_EVERY_MS,
      turn: async () =>
        (await this.store.forgetRefusedReceipts(this.config.keepJobsMs, BATCH)) === BATCH,
    });
    loops.add({
      name: 'retention.statistics',
      everyMs: STATISTICS_EVERY_MS,
      turn: async () => {
        await this.store.refreshStatistics();
      },
    });
    loops.add({ name: 'retention.logs', everyMs: LOGS_EVERY_MS, turn: () => this.tendLogs() });
  }

  private async forgetJobs(): Promise<boolean> {
    const startedMs = this.clock.monotonicMs();
    const batch = await this.store.forgetJobs(this.config.keepJobsMs, this.after, BATCH);
    const isMore = batch.looked === BATCH;
    this.after = isMore ? batch.last : '';
    if (batch.forgotten > 0) this.log.info({ jobs: batch.forgotten }, 'old jobs forgotten');
    // As long a rest as it took: a backlog of months is worked off beside everything else.
    if (isMore) await sleep(this.clock.monotonicMs() - startedMs);
    return isMore;
  }

  private async tendLogs(): Promise<void> {
    const { made, dropped } = await this.store.tendLogs(this.config.keepLogsMs, LOG_DAYS_AHEAD);
    if (made + dropped > 0) this.log.info({ made, dropped }, 'tables of log lines tended');
  }
}
