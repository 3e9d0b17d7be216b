import { Inject, Injectable } from '@nestjs/common';
import { isAudited, judge } from '@tidemill/core/verification';
import type { AttemptId, TaskId, WorkerId } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { JobsService } from '../jobs/jobs.service.js';
import { auditDraw } from '../platform/audit-draw.js';
import { Db, type Tx } from '../platform/db/db.js';
import { StageCursors } from '../platform/db/stage-cursors.js';
import { faultPoint } from '../platform/fault-points.js';
import { Ids } from '../platform/ids.js';
import { SIGNER } from '../platform/platform.module.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { Wakeups } from '../platform/wakeups.js';
import { mayHaveOutputs } from '../receipts/check-receipts.js';
import { startingFrom } from '../receipts/receipts.service.js';
import { ReceiptsStore } from '../receipts/receipts.store.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { OutputRights } from './output-rights.js';
import { ownFailure } from './own-failure.js';
import {
  VerdictsStore,
  type Member,
  type Reported,
  type Verdict,
  type Voided,
} from './verdicts.store.js';

/** The stage's cursor. */
export const STAGE = 'verification';
const MAX_PER_TURN = 2_000;

/** The result of an attempt that was stopped at its limit. */
const OUT_OF_TIME = 'failed:TIMEOUT';
/** Why a job ends whose hold does not pay for more. */
const HOLD_EXHAUSTED = 'HOLD_EXHAUSTED';
const HOLD_USED_UP =
  'The hold was used up before the work was done. Run what is left of it again with more: tidemill rerun JOB --failed --max-cost TOKENS.';

/** Gives every receipt its verdict: at once, or after the task has been executed again. */
@Injectable()
export class VerificationService {
  private readonly draw: (subject: string) => Uint8Array;

  constructor(
    private readonly db: Db,
    private readonly cursors: StageCursors,
    private readonly store: VerdictsStore,
    private readonly receipts: ReceiptsStore,
    private readonly rights: OutputRights,
    private readonly jobs: JobsService,
    private readonly trail: TrailWriter,
    private readonly ids: Ids,
    private readonly wakeups: Wakeups,
    private readonly telemetry: Telemetry,
    @Inject(SIGNER) signer: Signer,
  ) {
    this.draw = auditDraw(signer);
  }

  /** One turn over the receipts that have settled; true when there are more. */
  async turn(): Promise<boolean> {
    const { given, more } = await this.db.transaction(async (tx) => {
      const window = await this.cursors.open(tx, STAGE);
      const { rows, to, more } = await this.store.reported(tx, window, MAX_PER_TURN);
      const cut = await this.store.cutByHold(
        tx,
        rows.flatMap(({ result, attemptId }) => (result === OUT_OF_TIME ? [attemptId] : [])),
      );
      const alone: Reported[] = [];
      const compared: Reported[] = [];
      // Another worker, with another price, would be stopped at another moment: there is nothing to compare.
      for (const row of rows)
        (cut.has(row.attemptId) || this.isAlone(row) ? alone : compared).push(row);
      const families = new Set([
        ...compared.map(({ rootId }) => rootId),
        ...(await this.store.leftByEndedJobs(tx, { from: window.from, to })),
      ]);
      for (const { rootId } of alone) families.delete(rootId); // its job ended meanwhile; it gets one verdict all the same
      const verdicts = [
        ...alone.map((row) => acceptedAlone(row, cut.has(row.attemptId))),
        ...(await this.judgeFamilies(tx, [...families])),
      ];
      await this.give(tx, verdicts);
      await this.cursors.close(tx, STAGE, to);
      if (verdicts.length > 0) faultPoint('verification.verdicts.before-commit');
      return { given: verdicts.length, more };
    });
    if (given > 0) faultPoint('verification.verdicts.after-commit');
    return more;
  }

  /** Whether a result is accepted on its own word: nothing to compare it with was asked for or drawn. */
  private isAlone({ role, verify, audited, hash }: Reported): boolean {
    if (role !== 'primary') return false;
    switch (verify.method) {
      case 'none':
        return true;
      case 'replicate':
        return false;
      case 'audit':
        return !audited && !isAudited(this.draw(Buffer.from(hash).toString('hex')), verify.ratePpm);
    }
  }

  private async judgeFamilies(tx: Tx, rootIds: readonly TaskId[]): Promise<Verdict[]> {
    if (rootIds.length === 0) return [];
    const members = await this.store.families(tx, rootIds);
    const verdicts = new Map<TaskId, readonly Verdict[]>();
    const voided = new Set<TaskId>();
    let copies: { taskId: TaskId; rootId: TaskId; role: 'audit' | 'referee' }[] = [];
    for (const rootId of rootIds) {
      const family = members.filter((member) => member.rootId === rootId);
      const [only] = family;
      // A lone task without a result was taken back, and has begun anew.
      if (only === undefined || (family.length === 1 && only.attemptId === null)) continue;
      // A job that is over is not checked any further: what was done for it is taken at its word.
      if (family.length === 1 && only.role === 'primary' && !only.isJobOver) {
        copies.push({ taskId: this.ids.make('task'), rootId, role: 'audit' });
        continue;
      }
      const judgement = judge(
        family.map(({ taskId, attemptId, role, result }) => ({
          attemptId: attemptId ?? asPlaceholder(taskId),
          role,
          result,
        })),
      );
      if (judgement.next === 'wait') continue;
      if (judgement.next === 'referee') {
        copies.push({ taskId: this.ids.make('task'), rootId, role: 'referee' });
        await this.store.markDisputed(tx, judgement.disputed);
        continue;
      }
      verdicts.set(rootId, familyVerdicts(family, new Set<string>(judgement.accepted)));
      const rejected = new Set<string>(judgement.rejected);
      for (const later of await this.repair(tx, rootId, family, rejected)) voided.add(later);
    }
    // Whatever was found of a task before it turned out to be void has been said of something else.
    copies = copies.filter(({ rootId }) => !voided.has(rootId));
    if (copies.length > 0) {
      await this.store.addCopies(tx, copies);
      await this.trail.append(
        tx,
        copies.map(({ taskId, rootId, role }) => ({
          kind: 'check.ordered',
          subject: rootId,
          body: JSON.stringify({ task: rootId, copy: taskId, role }),
        })),
      );
      await this.wakeups.notify(tx, 'tasks');
      faultPoint('verification.checks.before-commit');
    }
    return [...verdicts].flatMap(([rootId, given]) => (voided.has(rootId) ? [] : given));
  }

  /**
   * When a task's own attempt was wrong, everything that started from its checkpoint is void and starts again from the right one;
   * gives the tasks that were taken back. Whoever did that work in good faith is paid by the network; whoever caused it is not.
   */
  private async repair(
    tx: Tx,
    rootId: TaskId,
    family: readonly Member[],
    rejected: ReadonlySet<string>,
  ): Promise<ReadonlySet<TaskId>> {
    const wrong = family.filter(({ attemptId }) => attemptId !== null && rejected.has(attemptId));
    const right = family.find(({ attemptId }) => attemptId !== null && !rejected.has(attemptId));
    const isPrimaryWrong = wrong.some(({ role }) => role === 'primary');
    if (!isPrimaryWrong || right?.attemptId == null || right.workerId === null) return new Set();
    const voided = await this.store.voidDependents(tx, rootId);
    const guilty = new Set(wrong.map(({ workerId }) => workerId));
    await this.give(
      tx,
      voided.flatMap((one): Verdict[] => {
        const { attemptId, workerId, reported } = one;
        return attemptId !== null && reported
          ? [voidVerdict(one, attemptId, guilty.has(workerId))]
          : [];
      }),
    );
    if (voided.length > 0) await this.wakeups.notify(tx, 'cancel');
    await this.restart(tx, rootId, right.attemptId, right.workerId);
    return new Set(voided.map(({ rootId: later }) => later));
  }

  private async restart(
    tx: Tx,
    rootId: TaskId,
    attemptId: AttemptId,
    workerId: WorkerId,
  ): Promise<void> {
    const from = await this.store.checkpointOf(tx, attemptId);
    if (from === null) return;
    const next = await this.receipts.dependents(tx, [rootId]);
    if (next.length === 0) return;
    await this.receipts.makeReady(
      tx,
      next.map(({ taskId, payload, inputs }) => ({
        taskId,
        preferred: workerId,
        ...startingFrom(payload, inputs, from),
      })),
    );
    await this.wakeups.notify(tx, 'tasks');
  }

  /** Writes verdicts and everything that follows from them; the caller holds the stage's cursor. */
  async give(tx: Tx, verdicts: readonly Verdict[]): Promise<void> {
    if (verdicts.length === 0) return;
    const succeeded = await this.store.give(tx, verdicts);
    for (const { verdict } of verdicts) this.telemetry.verdicts.inc({ verdict });
    this.telemetry.jobsFinished.inc({ state: 'succeeded' }, succeeded.length);
    await this.rights.settle(tx, verdicts);
    await this.endFailed(tx, verdicts);
    await this.trail.append(
      tx,
      verdicts.map(({ attemptId, taskId, verdict, reason, payer, receipt }) => ({
        kind: 'verdict.given',
        subject: attemptId,
        body: JSON.stringify({
          attempt: attemptId,
          task: taskId,
          receipt: receipt?.hash,
          result: receipt?.result,
          verdict,
          reason,
          payer,
        }),
      })),
    );
    await this.wakeups.notify(tx, 'verdicts', 'job');
  }

  /** Ends the jobs whose own code failed, with what it said. */
  private async endFailed(tx: Tx, verdicts: readonly Verdict[]): Promise<void> {
    const failed = verdicts.flatMap(({ attemptId, jobId, failure, settles }) =>
      failure === null || settles === null ? [] : [{ attemptId, jobId, failure }],
    );
    if (failed.length === 0) return;
    const receipts = await this.store.receiptTexts(
      tx,
      failed.map(({ attemptId }) => attemptId),
    );
    await this.jobs.end(
      tx,
      failed.map(({ attemptId, jobId, failure }) => ({
        jobId,
        state: 'failed',
        code: failure,
        message:
          failure === HOLD_EXHAUSTED ? HOLD_USED_UP : ownFailure(receipts.get(attemptId) ?? ''),
      })),
    );
  }
}

/** The code of a failure of the job's own code, or null when there was a result. */
export const failureOf = (result: string): string | null =>
  result.startsWith('failed:') ? result.slice('failed:'.length) : null;

function acceptedAlone(
  { attemptId, taskId, jobId, result, verify, hash }: Reported,
  isCut: boolean,
): Verdict {
  const given = {
    attemptId,
    taskId,
    jobId,
    verdict: 'accepted',
    payer: 'submitter',
    settles: taskId,
    failure: isCut ? HOLD_EXHAUSTED : failureOf(result),
    hasNoOutputs: !mayHaveOutputs(result),
  } as const;
  const reason = isCut ? 'stopped when the hold was used up' : null;
  if (verify.method !== 'none') return { ...given, reason: reason ?? 'not drawn for an audit' };
  return {
    ...given,
    reason: reason ?? 'not verified, as asked',
    receipt: { hash: Buffer.from(hash).toString('hex'), result },
  };
}

/** The submitter pays for the executions it asked for, the fees for those that check them. The first accepted one settles the task. */
function familyVerdicts(family: readonly Member[], accepted: ReadonlySet<string>): Verdict[] {
  const order = ['primary', 'replica', 'audit', 'referee'];
  const settling = family
    .filter(({ attemptId }) => attemptId !== null && accepted.has(attemptId))
    .sort(
      (a, b) => order.indexOf(a.role) - order.indexOf(b.role) || (a.taskId < b.taskId ? -1 : 1),
    )[0];
  return family.flatMap(({ attemptId, taskId, rootId, jobId, role, result }): Verdict[] => {
    if (attemptId === null) return [];
    const right = accepted.has(attemptId);
    const byFees = role === 'audit' || role === 'referee';
    return [
      {
        attemptId,
        taskId,
        jobId,
        verdict: right ? 'accepted' : 'rejected',
        reason: right
          ? `${accepted.size} of ${family.length} executions agree`
          : `${accepted.size} of ${family.length} executions say otherwise`,
        payer: right ? (byFees ? 'fees' : 'submitter') : 'nobody',
        settles: taskId === settling?.taskId ? rootId : null,
        failure: failureOf(result ?? ''),
      },
    ];
  });
}

/** What becomes of a result that started from a rejected one; `isGuilty` says that the same worker made that. */
function voidVerdict({ taskId, jobId }: Voided, attemptId: AttemptId, isGuilty: boolean): Verdict {
  const about = { attemptId, taskId, jobId, settles: null, failure: null, isVoid: true };
  return isGuilty
    ? {
        ...about,
        verdict: 'rejected',
        reason: 'void: started from its own rejected result',
        payer: 'nobody',
      }
    : {
        ...about,
        verdict: 'accepted',
        reason: 'void: started from a rejected result',
        payer: 'fees',
      };
}

/** An execution without an attempt has no result either, so `judge` waits and never names it. */
const asPlaceholder = (taskId: TaskId): Exclude<Member['attemptId'], null> =>
  taskId as string as Exclude<Member['attemptId'], null>;
