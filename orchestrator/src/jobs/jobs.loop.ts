import { Injectable } from '@nestjs/common';
import { Db } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { Loops } from '../platform/loop.js';
import { JobsService } from './jobs.service.js';
import { JobsStore } from './jobs.store.js';

const EVERY_MS = 1_000;
const MAX_PER_TURN = 500;
/** An Idempotency-Key is remembered this long (G2). */
const KEY_TTL_MS = 7 * 24 * 3_600_000;
const FORGET_EVERY_MS = 3_600_000;

/** The stage's own clock: jobs past their deadline expire, old Idempotency-Keys are forgotten. */
@Injectable()
export class JobsLoop {
  constructor(
    private readonly db: Db,
    private readonly store: JobsStore,
    private readonly jobs: JobsService,
    loops: Loops,
  ) {
    loops.add({ name: 'jobs.deadlines', everyMs: EVERY_MS, turn: () => this.expire() });
    loops.add({
      name: 'jobs.keys',
      everyMs: FORGET_EVERY_MS,
      turn: () => this.store.forgetKeys(this.db, KEY_TTL_MS),
    });
  }

  private async expire(): Promise<boolean> {
    const expired = await this.db.transaction(async (tx) => {
      const overdue = await this.store.overdue(tx, MAX_PER_TURN);
      await this.jobs.end(
        tx,
        overdue.map((jobId) => ({
          jobId,
          state: 'expired' as const,
          code: 'DEADLINE_PASSED',
          message: 'The deadline passed before the job was done.',
        })),
      );
      if (overdue.length > 0) faultPoint('jobs.expire.before-commit');
      return overdue.length;
    });
    if (expired > 0) faultPoint('jobs.expire.after-commit');
    return expired === MAX_PER_TURN;
  }
}
