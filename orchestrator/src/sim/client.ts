import type { AccountId, JobId, JobSpec } from '@tidemill/protocol';
import { ProblemError } from '../platform/http/problem.js';
import type { Process } from './kernel/process.js';
import type { JobPlan } from './scenario.js';
import type { Surroundings } from './surroundings.js';

const RETRY_MS = 1_000;
const PROMPT_CANCELS = 8;

type Answer =
  { readonly ok: true; readonly id: JobId } | { readonly ok: false; readonly code: string | null };

/** Someone who asks for one job, and again when no answer comes and that is safe. */
export class Client {
  readonly account: AccountId;
  /** Those that reached an orchestrator. */
  deliveries = 0;
  answered: Answer | null = null;
  private hasGivenUp = false;

  constructor(
    private readonly world: Surroundings & { readonly accounts: readonly AccountId[] },
    readonly process: Process,
    readonly plan: JobPlan,
    readonly number: number,
  ) {
    this.account = world.accounts[plan.account] ?? ('' as AccountId); // a plan names an account that is there
  }

  start(): void {
    this.process.isUp = true;
    this.process.after(() => this.submit(), this.plan.atMs, 'submit');
  }

  /** Whether it will ask no more. */
  get isDone(): boolean {
    return this.answered !== null || this.hasGivenUp;
  }

  /** What its job is called. */
  get name(): string {
    const { segments, workMs } = this.plan;
    return `job-${this.number}-${segments}-${Math.floor(workMs)}`;
  }

  private submit(): void {
    if (this.answered !== null) return;
    const spec = specOf(this.plan, this.name, this.process.nowMs());
    this.ask(spec);
    if (this.plan.isHasty) this.ask(spec);
    const next = (): void => {
      if (this.plan.key === null) this.hasGivenUp = true;
      else this.submit();
    };
    this.process.after(next, this.plan.patienceMs, 'again');
  }

  private ask(spec: JobSpec): void {
    const { world, process, account, plan } = this;
    const slot = world.randomWork.pick(world.orchestrators);
    world.network.carry(process, slot.process, 'request', () => {
      const jobs = slot.running?.jobs;
      if (jobs === undefined) return;
      this.deliveries += 1;
      const submission = {
        accountId: account,
        operation: 'createJob' as const,
        bodyText: this.name,
        idempotencyKey: plan.key ?? undefined,
      };
      jobs.create(submission, spec).then(
        ({ id }) => this.answer(slot.process, { ok: true, id }),
        (cause: unknown) => {
          world.invariants.failed('create', cause);
          if (cause instanceof ProblemError && cause.code === 'IDEMPOTENCY_MISMATCH')
            world.invariants.refusedAsMismatch(this);
          const isFinal = cause instanceof ProblemError;
          this.answer(slot.process, { ok: false, code: isFinal ? cause.code : null });
        },
      );
    });
  }

  private answer(from: Process, answer: Answer): void {
    this.world.network.carry(from, this.process, 'answer', () => {
      if (answer.ok) this.world.invariants.acknowledged(this, answer.id);
      if (!answer.ok && answer.code === null) {
        if (this.plan.key !== null) this.process.after(() => this.submit(), RETRY_MS, 'again');
        return;
      }
      if (this.answered !== null) return;
      this.answered = answer;
      const { cancelAfterMs } = this.plan;
      if (answer.ok && cancelAfterMs !== null)
        this.process.after(() => this.cancel(answer.id, PROMPT_CANCELS), cancelAfterMs, 'cancel');
    });
  }

  private cancel(id: JobId, tries: number): void {
    const { world, process, account, plan } = this;
    const slot = world.randomWork.pick(world.orchestrators);
    let isHeard = false;
    world.network.carry(process, slot.process, 'cancel', () => {
      slot.running?.jobs.cancel(account, id).then(
        () => world.network.carry(slot.process, process, 'cancelled', () => (isHeard = true)),
        (cause: unknown) => {
          world.invariants.failed('cancel', cause);
          if (cause instanceof ProblemError)
            world.network.carry(slot.process, process, 'not cancelled', () => (isHeard = true));
        },
      );
    });
    process.after(
      () => {
        if (!isHeard && tries > 0) this.cancel(id, tries - 1);
      },
      plan.patienceMs,
      'again',
    );
  }
}

function specOf(plan: JobPlan, name: string, nowMs: number): JobSpec {
  const { runtime, verify, workMs, maxMs, retries, fails, deadlineAfterMs } = plan;
  const noop = { sleepMs: Math.floor(workMs), ...(fails ? { fail: 'as told' } : {}) };
  return {
    kind: runtime === 'noop' ? 'batch' : 'training',
    name,
    // A training job's model and data are nothing here: its segments are named by the job.
    runtime: (runtime === 'noop' ? { noop } : { tfjs: {} }) as JobSpec['runtime'],
    verify: typeof verify === 'number' ? { replicate: verify } : verify,
    retry: { max: retries },
    limits: {
      maxDuration: `${maxMs / 1_000}s`,
      maxCost: '1',
      ...(deadlineAfterMs === null
        ? {}
        : { deadline: new Date(nowMs + deadlineAfterMs).toISOString() }),
    },
  };
}
