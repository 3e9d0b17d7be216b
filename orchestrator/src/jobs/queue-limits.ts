import { Injectable } from '@nestjs/common';
import { Db } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { Loops } from '../platform/loop.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { JobsStore } from './jobs.store.js';

/** Tasks that may wait in all: about 200 MB of rows, and minutes of work for a large network. */
const MAX_WAITING = 200_000;
/** One submitter may fill half of the queue. */
const MAX_WAITING_PER_ACCOUNT = 100_000;
const RECOUNT_MS = 2_000;
const RETRY_AFTER_S = 10;

/** Refuses jobs before acceptance when the queue is full (G6). Counts are at most two seconds old. */
@Injectable()
export class QueueLimits {
  private byAccount = new Map<string, number>();

  constructor(db: Db, store: JobsStore, loops: Loops, telemetry: Telemetry) {
    loops.add({
      name: 'jobs.queue-limits',
      everyMs: RECOUNT_MS,
      turn: async () => {
        this.byAccount = new Map(await store.waiting(db));
        telemetry.tasksQueued.set(this.total());
      },
    });
  }

  /** Counts `tasks` more for the account. @throws ProblemError QUEUE_FULL or TENANT_LIMIT */
  admit(accountId: string, tasks: number): void {
    const mine = this.byAccount.get(accountId) ?? 0;
    if (this.total() + tasks > MAX_WAITING) {
      throw new ProblemError('QUEUE_FULL', `${MAX_WAITING} tasks wait already.`, {
        retryAfterS: RETRY_AFTER_S,
      });
    }
    if (mine + tasks > MAX_WAITING_PER_ACCOUNT) {
      throw new ProblemError(
        'TENANT_LIMIT',
        `${mine} of your tasks wait; the limit is ${MAX_WAITING_PER_ACCOUNT}.`,
        { retryAfterS: RETRY_AFTER_S },
      );
    }
    this.byAccount.set(accountId, mine + tasks);
  }

  private total(): number {
    let total = 0;
    for (const waiting of this.byAccount.values()) total += waiting;
    return total;
  }
}
