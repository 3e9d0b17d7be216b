import type { Needs, VerifyPlan } from '@tidemill/core/job';
import type { Digest, JobKind, JobSpec } from '@tidemill/protocol';

/** A task of a job that is about to be accepted. */
export interface TaskDraft {
  readonly payload: string;
  readonly inputs: readonly { readonly digest: Digest; readonly sizeBytes: number }[];
  /** Index of the task whose checkpoint this one starts from. */
  readonly dependsOn: number | null;
  /** Whether this task is executed a second time for sure, whatever its result. */
  readonly audited: boolean;
}

/** A job that fits every rule but money: what acceptance writes down. */
export interface JobDraft {
  readonly spec: JobSpec;
  readonly specText: string;
  readonly kind: Exclude<JobKind, 'service'>;
  readonly needs: Needs;
  readonly verify: VerifyPlan;
  readonly priority: 0 | 1 | 2;
  readonly maxAttempts: number;
  readonly maxDurationMs: number;
  readonly maxGpuAsk: bigint | null;
  readonly maxCpuAsk: bigint | null;
  readonly deadline: Date | null;
  readonly tasks: readonly TaskDraft[];
  readonly hold: bigint;
  /** The most one execution of one task may cost. */
  readonly taskCap: bigint;
}
