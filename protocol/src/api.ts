import { EpochEarnings } from './epochs.js';
import { z } from 'zod';
import { BudgetView } from './budget.js';
import { Digest, Hex32, PublicKeyText, SignatureText } from './digest.js';
import {
  AccountId,
  AttemptId,
  DecisionId,
  JobId,
  KeyId,
  TaskId,
  UploadId,
  WorkerId,
} from './ids.js';
import { JobSpec, MAX_JOBS_IN_BATCH } from './job-spec.js';
import { Labels } from './labels.js';
import { BaseUnits, Money } from './money.js';
import { Capabilities, Resources } from './resources.js';
import { ATTEMPT_STATES, JOB_STATES, TASK_STATES } from './states.js';

const time = z.iso.datetime();

/** A page of a list; `nextCursor` is null on the last one. */
const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** What a key may do. `jobs:read` and up are a submitter's; `admin` is the operator's. */
export const SCOPES = [
  'jobs:read',
  'jobs:write',
  'artifacts:read',
  'artifacts:write',
  'account:read',
  'keys:write',
  'webhooks:write',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** One line of text for people. PostgreSQL cannot keep a NUL, and control characters play tricks on terminals. */
const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[ -~\u00a0-\uffff]*$/, 'text without control characters');

export const CreateKeyRequest = z
  .strictObject({
    name: line(63),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    expiresAt: time.optional(),
  })
  .meta({ id: 'CreateKeyRequest' });

export const KeyView = z
  .object({
    id: KeyId,
    name: z.string(),
    prefix: z.string().meta({ description: 'The first characters of the key, to recognise it.' }),
    scopes: z.array(z.enum(SCOPES)),
    createdAt: time,
    expiresAt: time.nullable(),
    lastUsedAt: time.nullable(),
  })
  .meta({ id: 'Key' });
export type KeyView = z.infer<typeof KeyView>;
export const CreatedKey = KeyView.extend({
  key: z.string().meta({ description: 'Shown once.' }),
}).meta({ id: 'CreatedKey' });
/** Longest time that both keys of a rotation are good: a week to find every place that has the old one. */
const MAX_GRACE_S = 7 * 24 * 3_600;

export const RotateKeyRequest = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(0)
      .max(MAX_GRACE_S)
      .default(24 * 3_600)
      .meta({
        description: 'How long the old key is still good. Default: a day.',
      }),
  })
  .meta({ id: 'RotateKeyRequest' });

export const KeyPage = page(KeyView).meta({ id: 'KeyPage' });

export const AccountView = z
  .object({
    id: AccountId,
    wallet: PublicKeyText,
    available: BaseUnits,
    held: BaseUnits,
    spent: BaseUnits,
    warnBelow: BaseUnits.nullable().meta({
      description: 'Of less than this available the event balance.low tells.',
    }),
    granted: BaseUnits.meta({
      description: 'Credit given by the operator, of all that was ever added.',
    }),
    deposited: BaseUnits.meta({ description: 'On chain, since the beginning.' }),
    withdrawing: BaseUnits.meta({
      description: 'Asked back on chain and not paid yet: it cannot be spent.',
    }),
    withdrawn: BaseUnits.meta({ description: 'Paid back on chain, since the beginning.' }),
    budget: BudgetView,
  })
  .meta({ id: 'Account' });
export type AccountView = z.infer<typeof AccountView>;

export const LedgerEntryView = z
  .object({
    id: z.string(),
    at: time,
    kind: z.string(),
    ref: z.string(),
    postings: z.array(z.object({ account: z.string(), amount: BaseUnits })),
  })
  .meta({ id: 'LedgerEntry' });
export type LedgerEntryView = z.infer<typeof LedgerEntryView>;
export const LedgerEntryPage = page(LedgerEntryView).meta({ id: 'LedgerEntryPage' });

export const Verify = z
  .object({ applied: z.string().meta({ description: 'none, replicate:N, or audit:q=0.10' }) })
  .meta({ id: 'VerifyApplied' });

/** When a job is expected to start; null with a reason when nothing can be said honestly. */
export const ExpectedStart = z
  .object({
    estimate: z
      .object({ p50: time, p90: time, basis: z.enum(['warm', 'queue', 'forecast']) })
      .nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'ExpectedStart' });

export const JobView = z
  .object({
    id: JobId,
    kind: z.string(),
    name: z.string().nullable(),
    labels: Labels,
    state: z.enum(JOB_STATES),
    reason: z.object({ code: z.string(), message: z.string() }).nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    tasks: z.object({ total: z.int(), succeeded: z.int(), running: z.int() }),
    progress: z
      .object({ step: z.int(), totalSteps: z.int(), metrics: z.record(z.string(), z.number()) })
      .nullable(),
    hold: BaseUnits,
    cost: BaseUnits.meta({ description: 'Booked so far.' }),
    verify: Verify,
    expectedStart: ExpectedStart.nullable().meta({
      description:
        'Of a job that waits for its first worker, where one job is read; null in lists.',
    }),
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof JobView>;
export const JobPage = page(JobView).meta({ id: 'JobPage' });

export const AttemptView = z
  .object({
    id: AttemptId,
    taskId: TaskId,
    number: z.int(),
    role: z.enum(['primary', 'replica', 'audit', 'referee']),
    workerId: WorkerId,
    fence: z.int(),
    state: z.enum(ATTEMPT_STATES),
    reason: z.string().nullable(),
    leasedAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    decisionId: DecisionId.nullable(),
    receiptHash: Hex32.nullable(),
    verdict: z.enum(['accepted', 'rejected', 'disputed']).nullable(),
    price: BaseUnits.nullable(),
  })
  .meta({ id: 'Attempt' });
export type AttemptView = z.infer<typeof AttemptView>;

export const TaskView = z
  .object({
    id: TaskId,
    index: z.int(),
    state: z.enum(TASK_STATES),
    attempts: z.array(AttemptView),
  })
  .meta({ id: 'Task' });

export const JobDetail = JobView.extend({ spec: JobSpec, taskList: z.array(TaskView) }).meta({
  id: 'JobDetail',
});
export type JobDetail = z.infer<typeof JobDetail>;

export const BatchRequest = z
  .strictObject({ jobs: z.array(JobSpec).min(1).max(MAX_JOBS_IN_BATCH) })
  .meta({ id: 'BatchRequest' });
export const BatchResult = z
  .object({ jobs: z.array(z.object({ id: JobId, hold: BaseUnits })) })
  .meta({ id: 'BatchResult', description: 'All jobs of the request were accepted, in its order.' });
export type BatchResult = z.infer<typeof BatchResult>;

/** Why workers were not considered: a constraint, and how many it removed. */
export const RemovedBy = z
  .object({ constraint: z.string(), removed: z.int(), relax: z.string().nullable() })
  .meta({ id: 'RemovedBy' });

export const PlanView = z
  .object({
    feasibleWorkers: z.int(),
    consideredWorkers: z.int(),
    removedBy: z.array(RemovedBy),
    tasks: z.int(),
    hold: BaseUnits,
    price: z.object({ low: BaseUnits, high: BaseUnits }).nullable(),
    expectedStart: ExpectedStart,
    balance: z.object({ available: BaseUnits, missing: BaseUnits }),
  })
  .meta({ id: 'Plan' });
export type PlanView = z.infer<typeof PlanView>;

export const LogLine = z
  .object({
    attemptId: AttemptId,
    line: z.int(),
    at: time,
    stream: z.enum(['out', 'err']),
    text: z.string(),
  })
  .meta({ id: 'LogLine' });
export type LogLine = z.infer<typeof LogLine>;
export const LogPage = page(LogLine).meta({ id: 'LogPage' });

export const OutputView = z
  .object({
    taskId: TaskId,
    name: z.string(),
    digest: Digest,
    sizeBytes: z.int(),
    href: z.string(),
  })
  .meta({ id: 'Output' });
export const OutputList = z.object({ items: z.array(OutputView) }).meta({ id: 'OutputList' });

/** What `GET /v1/jobs/{id}/events` streams, as the `data` of one server-sent event. */
export const JobEvent = z
  .object({
    id: z.int(),
    at: time,
    type: z.enum([
      'accepted',
      'leased',
      'running',
      'progress',
      'checkpoint',
      'reported',
      'verdict',
      'lost',
      'requeued',
      'booked',
      'finished',
      'log',
      'hold-low',
    ]),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'JobEvent' });
export type JobEvent = z.infer<typeof JobEvent>;

export const WorkerView = z
  .object({
    id: WorkerId,
    name: z.string(),
    publicKey: PublicKeyText,
    state: z.enum(['online', 'draining', 'lost', 'suspended']),
    capabilities: Capabilities,
    resources: Resources,
    slots: z.int(),
    asks: z.object({ gpuHour: BaseUnits, cpuHour: BaseUnits }),
    running: z.int(),
    operator: PublicKeyText.nullable().meta({
      description: 'Whose machine it is; copies of one task never go to two machines of one.',
    }),
    joinedAt: time,
    lastSeenAt: time.nullable(),
    earned: BaseUnits,
    pending: BaseUnits,
    results: z.object({ accepted: z.int(), rejected: z.int(), failed: z.int(), lost: z.int() }),
  })
  .meta({ id: 'Worker' });
export type WorkerView = z.infer<typeof WorkerView>;
/** What the owner of a worker sees of it. */
export const WorkerOwnerView = z
  .object({
    publicKey: PublicKeyText,
    payout: PublicKeyText,
    payoutChange: z.object({ payout: PublicKeyText, at: time }).nullable(),
  })
  .meta({ id: 'WorkerOwner' });
export type WorkerOwnerView = z.infer<typeof WorkerOwnerView>;

export const EARNINGS_PERIODS = ['hour', 'day', 'week', 'month'] as const;
export type EarningsPeriod = (typeof EARNINGS_PERIODS)[number];
/** What a worker was booked for its results, by periods in UTC, oldest first; periods without any are left out. */
export const EarningsView = z
  .object({
    by: z.enum(EARNINGS_PERIODS),
    items: z.array(z.object({ from: time, results: z.int(), amount: BaseUnits })),
    total: BaseUnits,
    epochs: z.array(EpochEarnings).meta({
      description:
        'What of it can be claimed on chain, or will be: the newest epochs, at most 100.',
    }),
  })
  .meta({ id: 'Earnings' });
export type EarningsView = z.infer<typeof EarningsView>;

const askRange = z.object({ low: BaseUnits, median: BaseUnits, high: BaseUnits });
/** What the workers that are online ask, and what is asked of them. */
export const MarketView = z
  .object({
    classes: z.array(
      z.object({
        runtime: z.string(),
        class: z.string(),
        workers: z.int(),
        slots: z.int(),
        cpuHour: askRange,
        gpuHour: askRange.nullable(),
      }),
    ),
    demand: z.array(
      z.object({
        runtime: z.string(),
        waiting: z.int().meta({ description: 'Tasks that wait for a worker now.' }),
        lastHour: z.int().meta({ description: 'Attempts that began within the last hour.' }),
      }),
    ),
  })
  .meta({ id: 'Market' });
export type MarketView = z.infer<typeof MarketView>;

export const WorkerPage = page(WorkerView).meta({ id: 'WorkerPage' });

export const DecisionView = z
  .object({
    id: DecisionId,
    at: time,
    place: z.int().nullable().meta({ description: 'Its place in the trail, once given.' }),
    record: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Decision' });

export const ArtifactView = z
  .object({ digest: Digest, sizeBytes: z.int(), createdAt: time })
  .meta({ id: 'Artifact' });
export type ArtifactView = z.infer<typeof ArtifactView>;
export const UploadView = z
  .object({ id: UploadId, offset: z.int(), sizeBytes: z.int(), expiresAt: time })
  .meta({ id: 'Upload' });
export const CreateUploadRequest = z
  .strictObject({ digest: Digest, sizeBytes: z.int().min(0) })
  .meta({ id: 'CreateUploadRequest' });

export const CreditRequest = z
  .strictObject({ wallet: PublicKeyText, amount: Money, ref: line(64) })
  .meta({ id: 'CreditRequest', description: 'The same ref twice gives the credit once.' });

/** One digested row of the decision trail. `body` is the exact text that was hashed. */
export const TrailEventView = z
  .object({
    id: z.string(),
    place: z.int().nullable(),
    at: time,
    kind: z.string(),
    subject: z.string(),
    body: z.string(),
    digest: Hex32,
    chain: Hex32.nullable(),
  })
  .meta({ id: 'TrailEvent' });
export type TrailEventView = z.infer<typeof TrailEventView>;
export const TrailPage = page(TrailEventView).meta({ id: 'TrailPage' });

export const CheckpointView = z
  .object({
    size: z.int(),
    root: Hex32,
    chain: Hex32,
    at: time,
    network: z.string(),
    publicKey: PublicKeyText,
    signature: z.string(),
  })
  .meta({ id: 'Checkpoint' });
export type CheckpointView = z.infer<typeof CheckpointView>;

const cosignature = {
  publicKey: PublicKeyText.meta({ description: "The witness's key." }),
  at: time.meta({ description: 'When it saw the checkpoint, by its own clock.' }),
  signature: SignatureText,
};

/** A checkpoint with what third parties signed of it. Whom to believe is for the reader to know from elsewhere. */
export const WitnessedCheckpointView = CheckpointView.extend({
  witnesses: z.array(z.object(cosignature)),
}).meta({ id: 'WitnessedCheckpoint' });
export type WitnessedCheckpointView = z.infer<typeof WitnessedCheckpointView>;
export const CheckpointPage = page(WitnessedCheckpointView).meta({ id: 'CheckpointPage' });

export const CosignatureRequest = z
  .strictObject({ size: z.int().min(1), ...cosignature })
  .meta({ id: 'CosignatureRequest' });
export type CosignatureRequest = z.infer<typeof CosignatureRequest>;

export const InclusionProofView = z
  .object({ place: z.int(), size: z.int(), leaf: Hex32, path: z.array(Hex32), root: Hex32 })
  .meta({ id: 'InclusionProof' });
export type InclusionProofView = z.infer<typeof InclusionProofView>;
export const ConsistencyProofView = z
  .object({ from: z.int(), to: z.int(), path: z.array(Hex32), fromRoot: Hex32, toRoot: Hex32 })
  .meta({ id: 'ConsistencyProof' });
export type ConsistencyProofView = z.infer<typeof ConsistencyProofView>;
