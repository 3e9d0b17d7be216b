import {
  bytesToHex,
  type Digest,
  encodeBase58,
  type Offer,
  type Receipt,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  RECEIPT_TTL_MS,
  type SignedReceipts,
  utf8ToBytes,
  type WorkerId,
} from '@tidemill/protocol';
import { nodeSha256, type Signer } from '@tidemill/protocol/node';

export const RUNTIME_CLASS = 'noop/1';

/** What an honest worker says of a no-op attempt that took so long. */
export function honestReceipt(
  offer: Offer,
  by: { readonly network: string; readonly audience: string; readonly workerId: WorkerId },
  tookMs: number,
): Receipt {
  const nowMs = Date.now();
  return {
    ...by,
    jobId: offer.jobId,
    taskId: offer.taskId,
    attemptId: offer.attemptId,
    fence: offer.fence,
    taskDigest: sha256(offer.payload),
    runtimeClass: RUNTIME_CLASS,
    outcome: 'succeeded',
    failure: null,
    outputs: [],
    commitment: null,
    metrics: {},
    usage: { billableMs: tookMs, cpuMs: 0, maxRssMib: 1 },
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + RECEIPT_TTL_MS,
  };
}

export const sha256 = (bytes: string | Uint8Array): Digest =>
  `sha256:${bytesToHex(nodeSha256(typeof bytes === 'string' ? utf8ToBytes(bytes) : bytes))}` as Digest;

/** Signs receipts as one batch; texts are taken as they are, so that they may be anything. */
export function signed(receipts: readonly (Receipt | string)[], signer: Signer): SignedReceipts {
  const texts = receipts.map((receipt) =>
    typeof receipt === 'string' ? receipt : receiptText(receipt),
  );
  const hashes = texts.map((text) => receiptHash(text, nodeSha256));
  return {
    receipts: texts,
    signature: encodeBase58(signer.sign(receiptsSigningBytes(hashes, nodeSha256))),
  };
}
