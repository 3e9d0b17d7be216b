import {
  bytesToHex,
  Receipt,
  RECEIPT_TTL_MS,
  receiptText,
  utf8ToBytes,
  type Offer,
  type Sha256,
  type WorkerId,
} from '@tidemill/protocol';
import type { AttemptResult } from '../attempts/result.js';
import { plainText } from '../plain-text.js';

/** Who says it, and to whom. */
export interface ReceiptIdentity {
  readonly network: string;
  readonly audience: string;
  readonly workerId: WorkerId;
}

export interface Measured {
  readonly billableMs: number;
  readonly nowMs: number;
}

/** A receipt, as it is kept and as it is told. */
export interface MadeReceipt {
  readonly text: string;
  readonly outcome: Receipt['outcome'];
  readonly failure: Receipt['failure'];
}

/**
 * An attempt's receipt. What a runtime says is checked like any other input: a result that does not fit a receipt
 * becomes a failure of this worker, which costs the submitter nothing.
 */
export function makeReceipt(
  identity: ReceiptIdentity,
  offer: Offer,
  result: AttemptResult,
  measured: Measured,
  sha256: Sha256,
): MadeReceipt {
  const parsed = Receipt.safeParse(receiptOf(identity, offer, result, measured, sha256));
  if (parsed.success) return made(parsed.data);

  const detail = parsed.error.issues
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ');
  const failed: AttemptResult = {
    runtimeClass: result.runtimeClass.slice(0, 128),
    outcome: 'failed',
    failure: { code: 'RESULT_INVALID', message: detail, fault: 'worker' },
    outputs: [],
    commitment: null,
    metrics: {},
    usage: { cpuMs: 0, maxRssMib: 0 },
  };
  return made(Receipt.parse(receiptOf(identity, offer, failed, measured, sha256)));
}

function made(receipt: Receipt): MadeReceipt {
  return { text: receiptText(receipt), outcome: receipt.outcome, failure: receipt.failure };
}

function receiptOf(
  identity: ReceiptIdentity,
  offer: Offer,
  result: AttemptResult,
  { billableMs, nowMs }: Measured,
  sha256: Sha256,
): unknown {
  const { failure } = result;
  return {
    ...identity,
    jobId: offer.jobId,
    taskId: offer.taskId,
    attemptId: offer.attemptId,
    fence: offer.fence,
    taskDigest: `sha256:${bytesToHex(sha256(utf8ToBytes(offer.payload)))}`,
    runtimeClass: result.runtimeClass,
    outcome: result.outcome,
    failure: failure === null ? null : { ...failure, message: plainText(failure.message, 2_000) },
    outputs: result.outputs,
    commitment: result.commitment,
    metrics: result.metrics,
    usage: {
      billableMs,
      cpuMs: Math.max(0, Math.round(result.usage.cpuMs)),
      maxRssMib: Math.max(0, Math.round(result.usage.maxRssMib)),
    },
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + RECEIPT_TTL_MS,
  };
}
