import { z } from 'zod';
import { CheckpointView, LedgerEntryView, TrailEventView } from '../api.js';
import { Digest, Hex32, PublicKeyText, SignatureText } from '../digest.js';
import { AccountId, AttemptId, JobId, TaskId, WorkerId } from '../ids.js';
import { MAX_RECEIPTS_IN_BATCH, MAX_RECEIPT_LENGTH } from '../receipt.js';
import { BaseUnits } from '../money.js';
import { ATTEMPT_STATES, JOB_STATES, TASK_STATES } from '../states.js';

/** What the bundle calls itself; a change of its meaning is another name. */
export const PROVENANCE_FORMAT = 'tidemill/provenance/1';

/** Longest audit path: a batch of receipts has six levels, a trail of 2^48 events 48. */
const MAX_PATH = 64;

/** One receipt as its worker signed it: its text, and the way from there to the batch's signature. */
export const SignedReceipt = z
  .object({
    attemptId: AttemptId,
    workerId: WorkerId,
    publicKey: PublicKeyText,
    text: z.string().max(MAX_RECEIPT_LENGTH),
    hash: Hex32,
    batch: z.object({
      index: z.int().min(0),
      size: z.int().min(1).max(MAX_RECEIPTS_IN_BATCH),
      path: z.array(Hex32).max(MAX_PATH),
      signature: SignatureText,
    }),
  })
  .meta({ id: 'SignedReceipt' });
export type SignedReceipt = z.infer<typeof SignedReceipt>;

/** An event of the trail that is about the job, with its place under the bundle's checkpoint. */
export const ProvenEvent = TrailEventView.extend({
  place: z.int().min(0),
  path: z.array(Hex32).max(MAX_PATH),
}).meta({ id: 'ProvenEvent' });
export type ProvenEvent = z.infer<typeof ProvenEvent>;

export const ProvenTask = z
  .object({
    id: TaskId,
    index: z.int().min(0),
    role: z.enum(['primary', 'replica', 'audit', 'referee']),
    rootId: TaskId.meta({ description: 'The task this one executes again; its own id otherwise.' }),
    dependsOn: TaskId.nullable(),
    state: z.enum(TASK_STATES),
    payload: z.string().meta({ description: 'The exact text its workers were given.' }),
    payloadDigest: Digest,
    seed: z.int().nullable(),
    inputs: z.array(z.object({ digest: Digest, sizeBytes: z.int().min(0) })),
  })
  .meta({ id: 'ProvenTask' });
export type ProvenTask = z.infer<typeof ProvenTask>;

export const ProvenAttempt = z
  .object({
    id: AttemptId,
    taskId: TaskId,
    workerId: WorkerId,
    number: z.int().min(1),
    fence: z.int().min(1),
    state: z.enum(ATTEMPT_STATES),
    reason: z.string().nullable(),
    runtimeClass: z.string().nullable(),
    receiptHash: Hex32.nullable(),
    outputs: z.array(z.object({ name: z.string(), digest: Digest, sizeBytes: z.int().min(0) })),
    verdict: z
      .object({
        verdict: z.enum(['accepted', 'rejected']),
        reason: z.string(),
        payer: z.enum(['submitter', 'fees', 'nobody']),
      })
      .nullable(),
    charge: z
      .object({
        price: BaseUnits,
        fee: BaseUnits,
        payer: z.enum(['submitter', 'fees']),
        refunded: z.boolean(),
      })
      .nullable(),
  })
  .meta({ id: 'ProvenAttempt' });
export type ProvenAttempt = z.infer<typeof ProvenAttempt>;

/**
 * Everything there is to say of a job, so that it can be checked without the network: what was asked, who did what under which
 * lease, what they signed, what was found of it, and what was paid (G18).
 */
export const Provenance = z
  .object({
    format: z.literal(PROVENANCE_FORMAT),
    network: z.string().max(64),
    job: z.object({
      id: JobId,
      account: AccountId,
      kind: z.string(),
      state: z.enum(JOB_STATES),
      hold: BaseUnits,
      verify: z.string(),
      createdAt: z.iso.datetime(),
      finishedAt: z.iso.datetime().nullable(),
    }),
    spec: z.object({
      text: z.string().meta({ description: 'The spec as it was accepted.' }),
      digest: Digest,
    }),
    tasks: z.array(ProvenTask),
    attempts: z.array(ProvenAttempt),
    workers: z.array(z.object({ id: WorkerId, publicKey: PublicKeyText })),
    receipts: z.array(SignedReceipt),
    trail: z.object({ checkpoint: CheckpointView, events: z.array(ProvenEvent) }),
    ledger: z.array(LedgerEntryView),
  })
  .meta({ id: 'Provenance' });
export type Provenance = z.infer<typeof Provenance>;
