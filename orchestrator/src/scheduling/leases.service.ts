import { Injectable } from '@nestjs/common';
import { afterEnd, type AttemptEnd } from '@tidemill/core/lease';
import {
  PlanInputsWriter,
  recordOf,
  runtimeClassOf,
  type Placement,
  type Plan,
  type QueuedTask,
  type Snapshot,
} from '@tidemill/core/scheduler';
import { TIMING, type AttemptId, type LeaseRef, type WorkerId } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { ArtifactsService } from '../artifacts/artifacts.service.js';
import { JobsService } from '../jobs/jobs.service.js';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { Ids } from '../platform/ids.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import {
  LeasesStore,
  type EndedAttempt,
  type Held,
  type Leased,
  type NewLease,
  type Stopped,
} from './leases.store.js';

const MAX_SWEPT = 500;
/** Longer than any dispute about a result: rewards are released after a day. */
export const KEEP_INPUTS_MS = 30 * 24 * 3_600_000;
/** Inputs stay readable for an attempt's longest duration and this: clocks of replicas may be apart, and a worker may start late. */
const READABLE_BEYOND_MS = 15 * 60_000;
/** A worker ends an attempt at its limit by itself and says so; one that has not by then is not going to. */
const OVERRUN_GRACE_MS = 10_000;

export interface Stop {
  readonly workerId: WorkerId;
  readonly attemptId: AttemptId;
}

type EndWanted = {
  readonly attemptId: AttemptId;
  readonly end: AttemptEnd;
  readonly detail: string | null;
};

/** Commits plans; accepts, refuses and ends leases. Nothing here trusts a clock: the fence decides what counts. */
@Injectable()
export class LeasesService {
  private offer: (leased: readonly Leased[]) => void = () => undefined;
  private stop: (stops: readonly Stop[], reason: 'cancelled' | 'lost') => void = () => undefined;

  private readonly inputs = new PlanInputsWriter(nodeSha256);

  constructor(
    private readonly db: Db,
    private readonly store: LeasesStore,
    private readonly jobs: JobsService,
    private readonly artifacts: ArtifactsService,
    private readonly trail: TrailWriter,
    private readonly ids: Ids,
    private readonly wakeups: Wakeups,
    private readonly telemetry: Telemetry,
    private readonly clock: Clock,
  ) {}

  /** Who is told at once of leases made here and of attempts to stop; the rows say the same to everybody else. */
  tell(listener: {
    offer: (leased: readonly Leased[]) => void;
    stop: (stops: readonly Stop[], reason: 'cancelled' | 'lost') => void;
  }): void {
    this.offer = listener.offer;
    this.stop = listener.stop;
  }

  /** Turns placements into leases with their decision records. Those whose task or worker changed since are refused; the rest stand. */
  async commit(snapshot: Snapshot, plan: Plan): Promise<void> {
    if (plan.placements.length === 0) return;
    const tasks = new Map(snapshot.queued.map((task) => [task.id, task]));
    const workers = new Map(snapshot.workers.map((worker) => [worker.id, worker]));
    const placements = new Map<AttemptId, Placement>();
    const leases = plan.placements.flatMap((placement): NewLease[] => {
      const task = tasks.get(placement.taskId);
      const worker = workers.get(placement.workerId);
      if (task === undefined || worker === undefined) return [];
      const attemptId = this.ids.make('attempt');
      placements.set(attemptId, placement);
      const runtimeClass = task.family === null ? null : runtimeClassOf(worker, task.needs.runtime);
      return [{ ...placement, attemptId, runtimeClass, resources: task.needs.resources }];
    });

    const kept = this.inputs.write(snapshot, plan);
    const leased = await this.db.transaction(async (tx) => {
      const stands = await this.store.lease(tx, leases);
      if (stands.length > 0) await this.store.keepInputs(tx, kept);
      await this.trail.append(
        tx,
        stands.map(({ offer, workerId }) =>
          decision(
            offer.attemptId,
            workerId,
            placements.get(offer.attemptId),
            tasks.get(offer.taskId),
            offer,
            kept.inputs.digest,
          ),
        ),
      );
      for (const { workerId, offer } of stands) {
        if (offer.inputs.length > 0)
          await this.artifacts.grant(
            tx,
            offer.inputs.map(({ digest }) => digest),
            { kind: 'worker', id: workerId },
            new Date(this.clock.nowMs() + offer.maxDurationMs + READABLE_BEYOND_MS),
          );
      }
      await this.wakeups.notify(tx, 'job');
      faultPoint('scheduling.lease.before-commit');
      return stands;
    });
    faultPoint('scheduling.lease.after-commit');
    this.telemetry.placements.inc({ outcome: 'leased' }, leased.length);
    this.telemetry.placements.inc({ outcome: 'changed' }, leases.length - leased.length);
    this.offer(leased);
  }

  /** Offered → active, for many workers at once; gives the attempts that are theirs now. */
  async activate(held: readonly Held[]): Promise<ReadonlySet<AttemptId>> {
    faultPoint('scheduling.activate.before-commit');
    const active = await this.store.activate(this.db, held);
    faultPoint('scheduling.activate.after-commit');
    return active;
  }

  /** A worker does not take these: they go elsewhere, and cost no retry. */
  async refuse(workerId: WorkerId, leases: readonly LeaseRef[], reason: string): Promise<void> {
    await this.endNow(
      leases.map(({ attemptId }) => ({
        attemptId,
        end: 'refused' as const,
        detail: `refused: ${reason}`,
      })),
      workerId,
    );
  }

  /** What a worker that logs in may go on with, and what it must stop. What it took and has forgotten goes elsewhere. */
  async reconcile(
    workerId: WorkerId,
    holding: readonly LeaseRef[],
  ): Promise<{ kept: AttemptId[]; gone: AttemptId[] }> {
    const ids = holding.map(({ attemptId }) => attemptId);
    const { kept, forgotten } = await this.store.reconcile(this.db, workerId, ids);
    await this.endNow(
      forgotten.map((attemptId) => ({
        attemptId,
        end: 'lost' as const,
        detail: 'forgotten by its worker',
      })),
      workerId,
    );
    const still = new Set(kept);
    return { kept, gone: ids.filter((id) => !still.has(id)) };
  }

  /** A worker's heartbeats no longer name these. */
  async forgotten(workerId: WorkerId, attempts: readonly AttemptId[]): Promise<void> {
    await this.endNow(
      attempts.map((attemptId) => ({
        attemptId,
        end: 'lost' as const,
        detail: 'forgotten by its worker',
      })),
      workerId,
    );
  }

  /** Ends attempts and settles what becomes of their tasks, inside the caller's transaction. */
  async end(
    tx: Tx,
    ends: readonly EndWanted[],
    workerId: WorkerId | null,
  ): Promise<readonly EndedAttempt[]> {
    const ended = await this.store.endAttempts(tx, ends, workerId);
    for (const { end } of ended) this.telemetry.leasesEnded.inc({ reason: end });
    await this.settle(tx, ended);
    return ended;
  }

  /** Puts the tasks of ended attempts back in line, or fails them and their jobs when their attempts are used up. */
  async settle(tx: Tx, ended: readonly EndedAttempt[]): Promise<void> {
    if (ended.length === 0) return;
    const outcomes = ended.map((attempt) => ({
      attempt,
      after: afterEnd(attempt.end, attempt.attemptsUsed, attempt.maxAttempts),
    }));
    await this.store.requeue(
      tx,
      outcomes.flatMap(({ attempt, after }) =>
        after.retry
          ? [
              {
                taskId: attempt.taskId,
                free: !after.costsRetry,
                exclude: excludes(attempt.end) ? attempt.workerId : null,
              },
            ]
          : [],
      ),
    );
    const failed = outcomes.filter(({ after }) => !after.retry).map(({ attempt }) => attempt);
    await this.store.fail(
      tx,
      failed.map(({ taskId }) => taskId),
    );
    await this.jobs.end(
      tx,
      failed.map(({ jobId, end, maxAttempts }) => ({
        jobId,
        state: 'failed',
        code: 'ATTEMPTS_EXHAUSTED',
        message: `The last of ${maxAttempts} attempts ended: ${end}.`,
      })),
    );
    await this.trail.append(
      tx,
      ended.map(({ attemptId, workerId, end }) => ({
        kind: 'lease.ended',
        subject: attemptId,
        body: JSON.stringify({ attempt: attemptId, worker: workerId, end }),
      })),
    );
    await this.wakeups.notify(tx, 'tasks', 'job');
  }

  /** Leases of lost workers and offers nobody took. True when there may be more. */
  async sweep(): Promise<boolean> {
    const lost = await this.store.ofLostWorkers(this.db, MAX_SWEPT);
    const stale = await this.store.staleOffers(this.db, TIMING.offerMs, MAX_SWEPT);
    const ended = await this.endNow(
      [
        // What was offered and not taken costs no retry, whatever became of the worker.
        ...lost.map(({ id, taken }) => ({
          attemptId: id,
          end: taken ? ('lost' as const) : ('offer_timeout' as const),
          detail: 'the worker fell silent',
        })),
        ...stale.map((attemptId) => ({
          attemptId,
          end: 'offer_timeout' as const,
          detail: 'the offer was not taken',
        })),
      ],
      null,
    );
    this.stop(ended, 'lost');
    return lost.length === MAX_SWEPT || stale.length === MAX_SWEPT;
  }

  /**
   * Takes tasks from workers that give signs of life and never an end; tells submitters whose hold is nearly used up, while they can
   * still make ready to go on.
   */
  async endOverruns(): Promise<boolean> {
    if ((await this.store.warnOfHolds(this.db)) > 0) await this.wakeups.notify(this.db, 'job');
    const overrun = await this.store.overrun(this.db, OVERRUN_GRACE_MS, MAX_SWEPT);
    const detail = 'ran past the time its job allows';
    const ended = await this.endNow(
      overrun.map((attemptId) => ({ attemptId, end: 'worker_fault' as const, detail })),
      null,
    );
    this.stop(ended, 'lost');
    return overrun.length === MAX_SWEPT;
  }

  /** Stops attempts of jobs that have ended. */
  async cancelOrphans(): Promise<boolean> {
    const stops = await this.store.cancelOrphans(this.db, MAX_SWEPT);
    if (stops.length > 0) {
      faultPoint('scheduling.orphans.after-commit');
      this.stop(stops, 'cancelled');
    }
    return stops.length === MAX_SWEPT;
  }

  /** What plans were decided on may be asked for so long; the trail keeps its digest for good. */
  async forgetInputs(): Promise<void> {
    await this.store.forgetInputs(this.db, KEEP_INPUTS_MS);
  }

  /** Which of these attempts ended without their workers, who may be connected elsewhere than where that was done. */
  stopped(attemptIds: readonly AttemptId[]): Promise<readonly Stopped[]> {
    return attemptIds.length === 0 ? Promise.resolve([]) : this.store.stopped(this.db, attemptIds);
  }

  openOffers(workerIds: readonly WorkerId[]): Promise<readonly Leased[]> {
    return this.store.openOffers(this.db, workerIds);
  }

  private async endNow(
    ends: readonly EndWanted[],
    workerId: WorkerId | null,
  ): Promise<readonly EndedAttempt[]> {
    if (ends.length === 0) return [];
    const ended = await this.db.transaction(async (tx) => {
      const done = await this.end(tx, ends, workerId);
      faultPoint('scheduling.end.before-commit');
      return done;
    });
    faultPoint('scheduling.end.after-commit');
    return ended;
  }
}

/** A worker that could not do a task, or did it wrongly, is not given it again. */
const excludes = (end: AttemptEnd): boolean => end === 'worker_fault' || end === 'rejected';

/** The decision record: what was considered, what it was worth, and what was chosen. */
function decision(
  attemptId: AttemptId,
  workerId: WorkerId,
  placement: Placement | undefined,
  task: QueuedTask | undefined,
  offer: Leased['offer'],
  inputs: string,
) {
  return {
    kind: 'task.placed',
    subject: attemptId,
    body: JSON.stringify({
      attempt: attemptId,
      task: offer.taskId,
      job: offer.jobId,
      worker: workerId,
      fence: offer.fence,
      ...(placement === undefined ? {} : recordOf(placement, task?.priority)),
      inputs,
    }),
  };
}
