import type { Needs, VerifyPlan } from '@tidemill/core/job';
import type { Bucket } from '@tidemill/core/ledger';
import type {
  AccountId,
  AttemptId,
  AttemptState,
  Digest,
  JobId,
  JobState,
  Resources,
  SessionId,
  TaskId,
  TaskState,
  WorkerId,
  WorkerProfile,
  WorkerView,
} from '@tidemill/protocol';

/** Rows as the migrations define them; a row is replaced, never changed. */
export interface JobRow {
  readonly id: JobId;
  readonly accountId: AccountId;
  readonly name: string | null;
  readonly state: JobState;
  readonly reasonCode: string | null;
  readonly needs: Needs;
  readonly verify: VerifyPlan;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly maxDurationMs: number;
  readonly maxGpuAsk: bigint | null;
  readonly maxCpuAsk: bigint | null;
  readonly hold: bigint;
  readonly taskCap: bigint;
  readonly tasksTotal: number;
  readonly tasksLeft: number;
  readonly deadlineMs: number | null;
}

export interface TaskRow {
  readonly id: TaskId;
  readonly jobId: JobId;
  readonly index: number;
  readonly role: 'primary' | 'replica' | 'audit' | 'referee';
  readonly rootId: TaskId;
  readonly state: TaskState;
  readonly waiting: boolean;
  readonly priority: number;
  readonly fence: number;
  readonly attemptsUsed: number;
  readonly dependsOn: TaskId | null;
  readonly audited: boolean;
  readonly runtimeClass: string | null;
  readonly payload: string;
  readonly payloadDigest: string;
  readonly inputs: string;
  readonly excluded: readonly WorkerId[];
  readonly preferred: WorkerId | null;
}

export interface AttemptRow {
  readonly id: AttemptId;
  readonly taskId: TaskId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly number: number;
  readonly fence: number;
  readonly state: AttemptState;
  readonly live: boolean;
  readonly reason: string | null;
  readonly resources: Resources;
  readonly gpuAsk: bigint;
  readonly cpuAsk: bigint;
  readonly billableMs: number | null;
  readonly leasedAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

export interface WorkerRow {
  readonly id: WorkerId;
  readonly publicKey: string;
  readonly state: WorkerView['state'];
  readonly revision: number;
  readonly profile: WorkerProfile;
  readonly session: SessionId | null;
  readonly leaseUntilMs: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly failed: number;
  readonly lost: number;
}

export interface JobEndRow {
  readonly jobId: JobId;
  readonly state: JobState;
  readonly xid: number;
}

export interface KeyRow {
  readonly accountId: AccountId;
  readonly key: string;
  readonly operation: string;
  readonly bodyDigest: Uint8Array;
  readonly answer: string;
  readonly createdAtMs: number;
}

export interface ReceiptRow {
  readonly attemptId: AttemptId;
  readonly taskId: TaskId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly checked: boolean;
  readonly hash: Uint8Array;
  readonly text: string;
  readonly result: string;
  readonly xid: number;
}

export interface RefusedRow {
  readonly attemptId: string;
  readonly workerId: WorkerId;
  readonly code: string;
}

export interface OutputRow {
  readonly taskId: TaskId;
  readonly attemptId: AttemptId;
  readonly name: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface VerdictRow {
  readonly attemptId: AttemptId;
  readonly jobId: JobId;
  readonly verdict: 'accepted' | 'rejected';
  readonly payer: 'submitter' | 'fees' | 'nobody';
  readonly xid: number;
}

export interface VoidedRow {
  readonly attemptId: AttemptId;
  readonly xid: number;
}

export interface ChargeRow {
  readonly attemptId: AttemptId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly price: bigint;
  readonly fee: bigint;
  readonly payer: 'submitter' | 'fees';
  readonly atMs: number;
  readonly workerResults: number;
  readonly released: boolean;
  readonly refunded: boolean;
}

export interface LedgerAccountRow {
  readonly owner: string;
  readonly bucket: Bucket;
  readonly balance: bigint;
}

export interface LedgerEntryRow {
  readonly kind: string;
  readonly ref: string;
  readonly atMs: number;
  readonly postings: readonly {
    readonly owner: string;
    readonly bucket: Bucket;
    readonly amount: bigint;
  }[];
}

export interface TrailRow {
  readonly xid: number;
  readonly id: number;
  readonly atMs: number;
  readonly kind: string;
  readonly subject: string;
  readonly body: string;
  readonly digest: Buffer;
}

export interface CursorRow {
  readonly stage: string;
  readonly xid: number;
}

export interface SequencerRow {
  readonly epoch: number;
  readonly size: number;
  readonly chain: Buffer;
  readonly frontier: Buffer;
  readonly lastXid: number;
  readonly lastId: number;
}

export interface ArtifactRow {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** A right to read an artifact; the ends of rights play no part in a simulation of minutes. */
export interface GrantRow {
  readonly digest: Digest;
  readonly ownerKind: 'account' | 'worker' | 'job';
  readonly ownerId: string;
  readonly accountId: AccountId | null;
}
