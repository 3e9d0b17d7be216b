import { Injectable } from '@nestjs/common';
import { copiesOf, needsOf, verifyPlanOf, type Needs, type VerifyPlan } from '@tidemill/core/job';
import { defaultMaxAsk, holdOf } from '@tidemill/core/ledger';
import { DEFAULT_RETRIES } from '@tidemill/core/lease';
import { parseAmount, parseDuration, type AccountId, type JobSpec } from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Clock } from '../platform/clock.js';
import { ProblemError } from '../platform/http/problem.js';
import type { JobDraft, TaskDraft } from './draft.js';
import { Market } from './market.js';
import { TfjsDrafter } from './tfjs-drafter.js';

/** A job without limits.maxDuration may run this long. */
const DEFAULT_MAX_DURATION_MS = 3_600_000;
const PRIORITIES = { low: 0, normal: 1, high: 2 } as const;

/** Turns a spec into what acceptance writes down, or says why it cannot. */
@Injectable()
export class Drafter {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly market: Market,
    private readonly tfjs: TfjsDrafter,
  ) {}

  async draft(spec: JobSpec, accountId: AccountId): Promise<JobDraft> {
    const verify = verifyPlanOf(spec, this.config.auditRatePpm);
    const needs = needsOf(spec);
    const limits = spec.limits ?? {};
    const maxGpuAsk = amountOf(limits.maxPricePerGpuHour);
    const maxCpuAsk = amountOf(limits.maxPricePerCpuHour);
    const maxDurationMs = parseDuration(limits.maxDuration ?? '') ?? DEFAULT_MAX_DURATION_MS;
    const tasks = await this.tasksOf(spec, verify, accountId);
    const copies = copiesOf(verify);
    const hold =
      amountOf(limits.maxCost) ??
      holdOf(
        needs.resources,
        await this.maxAsk(needs, maxGpuAsk, maxCpuAsk),
        maxDurationMs,
        copies,
      );
    return {
      spec,
      specText: JSON.stringify(spec),
      kind: spec.kind,
      needs,
      verify,
      priority: PRIORITIES[spec.priority ?? 'normal'],
      maxAttempts: (spec.retry?.max ?? DEFAULT_RETRIES) + 1,
      maxDurationMs,
      maxGpuAsk,
      maxCpuAsk,
      deadline: this.deadlineOf(spec),
      tasks,
      hold,
      taskCap: hold / BigInt(tasks.length * copies),
    };
  }

  private tasksOf(
    spec: JobSpec,
    verify: VerifyPlan,
    accountId: AccountId,
  ): TaskDraft[] | Promise<TaskDraft[]> {
    const { noop } = spec.runtime;
    if (noop !== undefined) {
      if (spec.kind !== 'batch')
        throw new ProblemError('VALIDATION_FAILED', 'body.kind: the noop runtime runs batch jobs');
      return [
        {
          payload: JSON.stringify({ runtime: 'noop', noop }),
          inputs: [],
          dependsOn: null,
          audited: false,
        },
      ];
    }
    return this.tfjs.tasksOf(spec, verify, accountId);
  }

  private deadlineOf(spec: JobSpec): Date | null {
    if (spec.limits?.deadline === undefined) return null;
    const deadline = new Date(spec.limits.deadline);
    if (deadline.getTime() <= this.clock.nowMs()) {
      throw new ProblemError('DEADLINE_PASSED', `The deadline was ${spec.limits.deadline}.`);
    }
    return deadline;
  }

  /** What an hour may cost: as the submitter says, else 1.5 times the median ask of the workers that could run it. */
  private async maxAsk(
    needs: Needs,
    maxGpuAsk: bigint | null,
    maxCpuAsk: bigint | null,
  ): Promise<bigint> {
    const said = needs.resources.gpuMilli > 0 ? maxGpuAsk : maxCpuAsk;
    if (said !== null) return said;
    const { suitable, removedBy, considered } = await this.market.suitableFor(
      needs,
      maxGpuAsk,
      maxCpuAsk,
    );
    const ask = defaultMaxAsk(
      suitable.map((worker) => (needs.resources.gpuMilli > 0 ? worker.gpuAsk : worker.cpuAsk)),
    );
    if (ask !== null) return ask;
    const why = removedBy
      .map(({ constraint, removed }) => `${constraint} removed ${removed}`)
      .join(', ');
    throw new ProblemError(
      'NO_PRICE',
      `Of ${considered} workers online none could run this${why === '' ? '' : `: ${why}`}.`,
    );
  }
}

function amountOf(money: string | number | undefined): bigint | null {
  return money === undefined ? null : parseAmount(String(money));
}
