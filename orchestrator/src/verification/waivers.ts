import { Injectable } from '@nestjs/common';
import type { TaskId } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { StageCursors } from '../platform/db/stage-cursors.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { VerdictsStore, type Member, type Verdict } from './verdicts.store.js';
import { failureOf, STAGE, VerificationService } from './verification.service.js';

/**
 * An audit that no worker has taken by then is waived. Checks are first in line, so any room that became free in this time could
 * have been theirs; longer than this no submitter should wait for a check that it did not ask for.
 */
export const WAIVE_AFTER_MS = 60_000;
/** While it is on offer an audit is out of the line for some seconds; one that stays away longer was taken or dropped. */
const FORGET_AFTER_MS = 15_000;
const MAX_WATCHED = 1_000;

interface Watched {
  readonly rootId: TaskId;
  readonly sinceMs: number;
  lastMs: number;
}

/**
 * Waives audits that nobody can run, for example where a single worker is online. Time counts from when this process first saw
 * the audit waiting: after a restart workers need time to come back.
 */
@Injectable()
export class Waivers {
  private readonly watched = new Map<TaskId, Watched>();

  constructor(
    private readonly db: Db,
    private readonly cursors: StageCursors,
    private readonly store: VerdictsStore,
    private readonly verification: VerificationService,
    private readonly trail: TrailWriter,
    private readonly clock: Clock,
  ) {}

  async turn(): Promise<void> {
    const due = this.watch(
      await this.store.untakenAudits(this.db, MAX_WATCHED),
      this.clock.monotonicMs(),
    );
    if (due.size > 0) await this.db.transaction((tx) => this.waive(tx, due));
  }

  /** Notes what waits; gives what has waited for too long. */
  private watch(
    waiting: readonly { readonly taskId: TaskId; readonly rootId: TaskId }[],
    nowMs: number,
  ): ReadonlyMap<TaskId, TaskId> {
    for (const { taskId, rootId } of waiting) {
      const known = this.watched.get(taskId);
      if (known === undefined) this.watched.set(taskId, { rootId, sinceMs: nowMs, lastMs: nowMs });
      else known.lastMs = nowMs;
    }
    const due = new Map<TaskId, TaskId>();
    for (const [taskId, { rootId, sinceMs, lastMs }] of this.watched) {
      if (nowMs - lastMs > FORGET_AFTER_MS) this.watched.delete(taskId);
      else if (lastMs === nowMs && nowMs - sinceMs >= WAIVE_AFTER_MS) due.set(taskId, rootId);
    }
    return due;
  }

  private async waive(tx: Tx, due: ReadonlyMap<TaskId, TaskId>): Promise<void> {
    // The stage's cursor keeps its other turns, here and in other replicas, from judging the same tasks meanwhile.
    await this.cursors.open(tx, STAGE);
    const dropped = await this.store.dropUntaken(tx, [...due.keys()]);
    const waived = dropped.flatMap((copy) => {
      const task = due.get(copy);
      return task === undefined ? [] : [{ task, copy }];
    });
    await this.trail.append(
      tx,
      waived.map(({ task, copy }) => ({
        kind: 'check.waived',
        subject: task,
        body: JSON.stringify({ task, copy, afterMs: WAIVE_AFTER_MS }),
      })),
    );
    const left = await this.store.families(
      tx,
      waived.map(({ task }) => task),
    );
    await this.verification.give(tx, left.flatMap(acceptedUnchecked));
  }
}

function acceptedUnchecked({ attemptId, rootId, taskId, jobId, role, result }: Member): Verdict[] {
  if (role !== 'primary' || attemptId === null) return [];
  return [
    {
      attemptId,
      taskId,
      jobId,
      verdict: 'accepted',
      reason: 'no other worker could check it',
      payer: 'submitter',
      settles: rootId,
      failure: failureOf(result ?? ''),
    },
  ];
}
