import { Injectable } from '@nestjs/common';
import type { TaskId } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { StageCursors } from '../platform/db/stage-cursors.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { VerdictsStore, type Member, type Verdict, type WaitingCheck } from './verdicts.store.js';
import { failureOf, STAGE, VerificationService } from './verification.service.js';

/**
 * A check that has waited so long for a worker is waived. Checks are first in line, so any room that became free in this time could
 * have been theirs; longer than this no submitter should wait for a check that it did not ask for.
 */
export const WAIVE_AFTER_MS = 60_000;
/** While it is on offer a check is out of the line for some seconds; one that stays away longer was taken or dropped. */
const FORGET_AFTER_MS = 15_000;
const MAX_WATCHED = 1_000;

interface Watched {
  readonly rootId: TaskId;
  readonly wasTaken: boolean;
  readonly sinceMs: number;
  lastMs: number;
}

/**
 * Waives checks that nobody can run, for example audits where a single worker is online, and ends disputes that nobody can decide and
 * that no submitter waits for any more. Time counts from when this process first saw
 * the check waiting: after a restart workers need time to come back.
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
    // What is read now was so now: a slow answer must not make a check look as if it had not been seen for long.
    const nowMs = this.clock.monotonicMs();
    const due = this.watch(await this.store.waitingChecks(this.db, MAX_WATCHED), nowMs);
    if (due.size > 0) await this.db.transaction((tx) => this.waive(tx, due));
  }

  /** Notes what waits; gives what has waited for too long. */
  private watch(waiting: readonly WaitingCheck[], nowMs: number): ReadonlyMap<TaskId, TaskId> {
    for (const { taskId, rootId, wasTaken } of waiting) {
      const known = this.watched.get(taskId);
      // What a worker has had begins to wait when it comes back.
      if (known === undefined || known.wasTaken !== wasTaken)
        this.watched.set(taskId, { rootId, wasTaken, sinceMs: nowMs, lastMs: nowMs });
      else known.lastMs = nowMs;
    }
    const due = new Map<TaskId, TaskId>();
    for (const [taskId, { rootId, wasTaken, sinceMs, lastMs }] of this.watched) {
      if (nowMs - lastMs > (wasTaken ? 0 : FORGET_AFTER_MS)) this.watched.delete(taskId);
      else if (lastMs === nowMs && nowMs - sinceMs >= WAIVE_AFTER_MS) due.set(taskId, rootId);
    }
    return due;
  }

  private async waive(tx: Tx, due: ReadonlyMap<TaskId, TaskId>): Promise<void> {
    // The stage's cursor keeps its other turns, here and in other replicas, from judging the same tasks meanwhile.
    await this.cursors.open(tx, STAGE);
    const dropped = await this.store.dropWaiting(tx, [...due.keys()]);
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
    const roots = [...new Set(left.map(({ rootId }) => rootId))];
    await this.verification.give(
      tx,
      roots.flatMap((root) => concluded(left.filter(({ rootId }) => rootId === root))),
    );
  }
}

/** What is said of a task that is not checked any further: a result alone is accepted, results that contradict each other are not. */
function concluded(family: readonly Member[]): Verdict[] {
  const reported = family.filter(({ attemptId }) => attemptId !== null);
  return reported.length > 1 ? reported.flatMap(undecided) : reported.flatMap(acceptedUnchecked);
}

/** Its job is over and nobody can say who was right, so nobody pays: a verdict rests on no one worker's word. */
function undecided({ attemptId, taskId, jobId }: Member): Verdict[] {
  if (attemptId === null) return [];
  return [
    {
      attemptId,
      taskId,
      jobId,
      verdict: 'rejected',
      reason: 'disputed, its job over, and no other worker could decide',
      payer: 'nobody',
      settles: null,
      failure: null,
    },
  ];
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
