import { z } from 'zod';
import { canonicalJson } from './canonical-json.js';
import { Fence } from './count.js';
import { tagged, TAGS, utf8ToBytes, type Sha256 } from './crypto.js';
import { Digest, Hex32, SignatureText } from './digest.js';
import { AttemptId, JobId, TaskId, WorkerId } from './ids.js';
import { leafHash, merkleRoot } from './merkle.js';

/** Receipts signed together: one signature check then serves many, and a frame of them stays below 256 KiB. */
export const MAX_RECEIPTS_IN_BATCH = 64;

/** A receipt is refused later than this after it was signed; an outbox that old has nothing to say (G21). */
export const RECEIPT_TTL_MS = 7 * 24 * 3_600_000;

/** Longest text of one receipt. */
export const MAX_RECEIPT_LENGTH = 16_384;

/** Why an attempt of the job's own code failed, or the machine's. The first kind is billed and not tried again. */
export const FailureCode = z.string().regex(/^[A-Z][A-Z0-9_]{1,47}$/);

/**
 * A worker's statement of what an attempt did, used and produced. Whole numbers and texts only, since its canonical JSON is signed.
 */
export const Receipt = z
  .strictObject({
    network: z.string().max(64),
    audience: z.string().max(128),
    workerId: WorkerId,
    jobId: JobId,
    taskId: TaskId,
    attemptId: AttemptId,
    fence: Fence,
    taskDigest: Digest,
    runtimeClass: z.string().max(128),
    outcome: z.enum(['succeeded', 'failed']),
    failure: z
      .strictObject({
        code: FailureCode,
        message: z.string().max(2_000),
        fault: z.enum(['job', 'worker']),
      })
      .nullable(),
    outputs: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
          digest: Digest,
          sizeBytes: z.int().min(0),
        }),
      )
      .max(64),
    /** The tfjs commitment: SHA-256 over canonical tensors, optimizer state, step, data cursor and metrics. */
    commitment: Hex32.nullable(),
    /** What the runtime says of its result, as whole numbers and texts. */
    metrics: z.record(z.string().max(64), z.string().max(64)),
    usage: z.strictObject({
      billableMs: z.int().min(0),
      cpuMs: z.int().min(0),
      maxRssMib: z.int().min(0),
    }),
    issuedAtMs: z.int().min(0),
    expiresAtMs: z.int().min(0),
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.infer<typeof Receipt>;

/** The text of a receipt: what travels, what is hashed, and what is kept. */
export function receiptText(receipt: Receipt): string {
  return canonicalJson(receipt);
}

/** The Merkle leaf hash of a receipt's text: its name everywhere. */
export function receiptHash(text: string, sha256: Sha256): Uint8Array {
  return leafHash(utf8ToBytes(text), sha256);
}

/**
 * The bytes signed over a batch: the domain tag and the RFC 6962 root over the receipts' hashes in order. A batch of one is signed
 * over its own hash, so single receipts need no other rule; the inclusion path makes each receipt provable alone.
 */
export function receiptsSigningBytes(hashes: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  return tagged(TAGS.receipts, merkleRoot(hashes, sha256));
}

export const SignedReceipts = z.strictObject({
  receipts: z.array(z.string().max(MAX_RECEIPT_LENGTH)).min(1).max(MAX_RECEIPTS_IN_BATCH),
  signature: SignatureText,
});
export type SignedReceipts = z.infer<typeof SignedReceipts>;
