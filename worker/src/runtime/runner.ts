import type { Digest, IsolationLevel, TaskPayload } from '@tidemill/protocol';

/** What one attempt may use up. The host enforces each; the sandbox enforces most of them again. */
export interface RunLimits {
  readonly wallMs: number;
  readonly memoryMib: number;
  /** All outputs together. */
  readonly outputBytes: number;
  /** Text the attempt may log; what comes later is dropped and counted. */
  readonly logBytes: number;
}

export interface RunRequest {
  /** An empty folder of this attempt alone; outputs are put there. The job's code cannot see it. */
  readonly workDir: string;
  readonly payload: TaskPayload;
  /** Where the bytes of each input lie. They are checked against the digest again on their way in. */
  readonly inputs: ReadonlyMap<Digest, string>;
  readonly limits: RunLimits;
}

export interface RunProgress {
  readonly step: number;
  readonly totalSteps: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Called while an attempt runs, progress at most five times a second. None may throw. */
export interface RunEvents {
  onProgress(progress: RunProgress): void;
  onLog(stream: 'out' | 'err', line: string): void;
}

interface RunUsage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly maxRssMib: number;
}

export interface OutputFile {
  readonly name: string;
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Faults of the job: billed, and not tried again. */
type JobFailure =
  | 'MODEL_INVALID'
  | 'DATA_INVALID'
  | 'LOSS_NOT_FINITE'
  | 'OUT_OF_MEMORY'
  | 'TIMEOUT'
  | 'OUTPUT_TOO_LARGE'
  | 'CRASHED'
  | 'FAILED_AS_TOLD'
  | `EXIT_${number}`;

/** Faults of the machine or of the network: the task goes elsewhere. */
const WORKER_FAILURES = [
  'SANDBOX_UNAVAILABLE',
  'RUNTIME_UNAVAILABLE',
  'RUNTIME_UNSUPPORTED',
  'INPUT_MISSING',
  'INPUT_CORRUPT',
  'CHECKPOINT_INVALID',
  'CHILD_LOST',
  'CHILD_PROTOCOL',
] as const;

export type FailureCode = JobFailure | (typeof WORKER_FAILURES)[number];

export interface RunFailure {
  readonly code: FailureCode;
  readonly fault: 'job' | 'worker';
  readonly message: string;
}

/** How an attempt ended. Receipts are written from this alone. */
export type RunOutcome =
  | {
      readonly state: 'succeeded';
      readonly outputs: readonly OutputFile[];
      /** 64 hex digits for work that can be compared, else null. */
      readonly commitment: string | null;
      readonly metrics: Readonly<Record<string, string>>;
      readonly runtimeClass: string;
      readonly usage: RunUsage;
    }
  | {
      readonly state: 'failed';
      readonly failure: RunFailure;
      readonly runtimeClass: string;
      readonly usage: RunUsage;
    }
  /** Ended because the caller's signal said so; nothing of it counts. */
  | { readonly state: 'stopped'; readonly usage: RunUsage };

/** What a runner offers on this machine. */
export interface RunnerOffer {
  readonly runtime: TaskPayload['runtime'];
  /** Results of two workers are compared bit for bit when these are equal. */
  readonly runtimeClass: string;
  readonly isolation: IsolationLevel;
  /** For people: how the isolation is done, or what is missing for more. */
  readonly isolationDetail: string;
}

/** A runtime on this machine. */
export interface Runner {
  readonly runtime: TaskPayload['runtime'];

  /** What is offered here, found out once; an offer that cannot be made comes with the reason, for the operator. */
  offer(): Promise<
    | { readonly ok: true; readonly offer: RunnerOffer }
    | { readonly ok: false; readonly reason: string }
  >;

  /**
   * Runs one attempt to its end and cleans up after it: no process is left when the promise settles. Never rejects; whatever goes
   * wrong is an outcome. After the signal the attempt ends within two seconds. Several may run at once.
   */
  run(request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<RunOutcome>;
}

/** The fault that belongs to a code, so that no two places decide it differently. */
export function failure(code: FailureCode, message: string): RunFailure {
  const isWorkers = (WORKER_FAILURES as readonly string[]).includes(code);
  return { code, fault: isWorkers ? 'worker' : 'job', message: message.slice(0, 2_000) };
}
