import { z } from 'zod';
import { Count, Fence } from './count.js';
import { Digest, PublicKeyText, SignatureText } from './digest.js';
import { AttemptId, JobId, SessionId, TaskId, WorkerId } from './ids.js';
import { Nonce } from './login.js';
import { Ask } from './money.js';
import { OperatorCertificate } from './owner-order.js';
import { SignedReceipts } from './receipt.js';
import { Capabilities, Resources } from './resources.js';

/** Largest frame either side takes (G20). Artifacts never travel in the socket. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** Most attempts one worker holds at once, so a list of them fits a frame. */
export const MAX_HELD_ATTEMPTS = 256;

/** The clocks of the worker protocol, in milliseconds (G5). */
export const TIMING = {
  /** An unauthenticated socket is closed after this. */
  loginMs: 10_000,
  heartbeatMs: 5_000,
  /** A worker silent for this long loses its leases. */
  leaseMs: 15_000,
  /** A worker without any acknowledgement for this long stops its attempts by itself, before the lease can end. */
  selfStopMs: 12_000,
  /** A worker whose socket closed has this long to come back. */
  reconnectMs: 3_000,
  /** An offer not accepted by then goes elsewhere and costs no retry. */
  offerMs: 5_000,
} as const;

const seq = z.int().min(0);
/** After login every frame of a worker carries its session and a number that only rises (G21). */
const inSession = { session: SessionId, seq };
const lease = z.strictObject({ attemptId: AttemptId, fence: Fence });
const leases = z.array(lease).min(1).max(MAX_HELD_ATTEMPTS);
export type LeaseRef = z.infer<typeof lease>;

export const WorkerProfile = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[\p{L}\p{N} ._-]+$/u),
  capabilities: Capabilities,
  resources: Resources,
  /** Attempts the worker runs side by side, whatever its resources. */
  slots: z.int().min(1).max(MAX_HELD_ATTEMPTS),
  asks: z.strictObject({ gpuHour: Ask, cpuHour: Ask }),
  /** Where earnings go; the worker's own key when absent. */
  payout: PublicKeyText.optional(),
  /** Whose machine it is, since version 2: copies of one task never go to two machines of one operator. Taken from the login only. */
  operator: OperatorCertificate.optional(),
});
export type WorkerProfile = z.infer<typeof WorkerProfile>;

export const Login = z.strictObject({
  type: z.literal('login'),
  versions: z.array(z.int().min(1)).min(1).max(16),
  publicKey: PublicKeyText,
  nonce: Nonce,
  signature: SignatureText,
  profile: WorkerProfile,
  /** Attempts the worker still works on or has receipts for: kept if they are still its own. */
  holding: z.array(lease).max(MAX_HELD_ATTEMPTS),
});

export const Heartbeat = z.strictObject({
  type: z.literal('heartbeat'),
  ...inSession,
  /** The attempts the worker knows of; the orchestrator gives up those it leased that are missing here twice in a row. */
  attempts: z.array(AttemptId).max(MAX_HELD_ATTEMPTS),
});

const Accept = z.strictObject({ type: z.literal('accept'), ...inSession, leases });
const Refuse = z.strictObject({
  type: z.literal('refuse'),
  ...inSession,
  leases,
  reason: z.enum(['draining', 'busy', 'unable', 'owner']),
});
const Progress = z.strictObject({
  type: z.literal('progress'),
  ...inSession,
  items: z
    .array(
      lease.extend({
        step: Count,
        totalSteps: Count,
        metrics: z.record(z.string().max(32), z.number()),
      }),
    )
    .min(1)
    .max(64),
});
const Logs = z.strictObject({
  type: z.literal('logs'),
  ...inSession,
  items: z
    .array(
      lease.extend({ line: Count, stream: z.enum(['out', 'err']), text: z.string().max(4_096) }),
    )
    .min(1)
    .max(32),
});
const Checkpoint = z.strictObject({
  type: z.literal('checkpoint'),
  ...inSession,
  items: z
    .array(lease.extend({ step: Count, digest: Digest, sizeBytes: z.int().min(0) }))
    .min(1)
    .max(16),
});
const Receipts = z.strictObject({
  type: z.literal('receipts'),
  ...inSession,
  ...SignedReceipts.shape,
});
const Profile = z.strictObject({
  type: z.literal('profile'),
  ...inSession,
  profile: WorkerProfile,
});
const Drain = z.strictObject({ type: z.literal('drain'), ...inSession });

/** Everything a worker may send. */
export const FromWorker = z.discriminatedUnion('type', [
  Login,
  Heartbeat,
  Accept,
  Refuse,
  Progress,
  Logs,
  Checkpoint,
  Receipts,
  Profile,
  Drain,
]);
export type FromWorker = z.infer<typeof FromWorker>;

export const InputRef = z.strictObject({ digest: Digest, sizeBytes: z.int().min(0) });

/** The right to one attempt, offered. `payload` is JSON text; its SHA-256 is the receipt's taskDigest. */
export const Offer = z.strictObject({
  jobId: JobId,
  taskId: TaskId,
  attemptId: AttemptId,
  fence: Fence,
  payload: z.string().max(128 * 1024),
  inputs: z.array(InputRef).max(64),
  needs: Resources,
  maxDurationMs: z.int().min(1),
});
export type Offer = z.infer<typeof Offer>;

const ReceiptAck = z.strictObject({
  attemptId: AttemptId,
  status: z.enum(['stored', 'duplicate', 'stale', 'refused']),
  code: z.string().max(48).optional(),
});

/** Everything an orchestrator may send to a worker. */
export const FromOrchestrator = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('challenge'),
    versions: z.array(z.int().min(1)),
    network: z.string(),
    audience: z.string(),
    nonce: z.string(),
    issuedAt: z.string(),
    expiresAt: z.string(),
  }),
  z.strictObject({
    type: z.literal('welcome'),
    version: z.int(),
    session: SessionId,
    workerId: WorkerId,
    /** Bearer token for the artifact API, good while this session lasts. */
    token: z.string(),
    timing: z.strictObject({ heartbeatMs: z.int(), leaseMs: z.int(), selfStopMs: z.int() }),
    /** Of what the worker holds: what is still its own, and what is not. */
    kept: z.array(AttemptId),
    gone: z.array(AttemptId),
  }),
  z.strictObject({ type: z.literal('heartbeat.ack'), seq }),
  z.strictObject({ type: z.literal('offer'), offers: z.array(Offer).min(1) }),
  z.strictObject({
    type: z.literal('active'),
    attempts: z.array(AttemptId),
    gone: z.array(AttemptId),
  }),
  z.strictObject({
    type: z.literal('cancel'),
    attempts: z.array(AttemptId).min(1),
    reason: z.enum(['cancelled', 'expired', 'lost', 'preempted', 'stale']),
  }),
  z.strictObject({ type: z.literal('receipts.ack'), receipts: z.array(ReceiptAck).min(1) }),
  z.strictObject({ type: z.literal('drain') }),
]);
export type FromOrchestrator = z.infer<typeof FromOrchestrator>;
export type ReceiptAck = z.infer<typeof ReceiptAck>;
