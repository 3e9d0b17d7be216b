import {
  type Digest,
  encodeBase58,
  MAX_RECEIPTS_IN_BATCH,
  type Offer,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  RECEIPT_TTL_MS,
  type SignedReceipts,
  utf8ToBytes,
  type WorkerId,
} from '@tidemill/protocol';
import { nodeSha256, type Signer } from '@tidemill/protocol/node';
import type { OrchestratorAddress } from './orchestrator-address.js';
import { RUNTIME_CLASS } from './worker-profile.js';

/** A no-op attempt that is over, and how long it took. */
export interface Finished {
  readonly offer: Offer;
  readonly tookMs: number;
}

/** The receipts of finished attempts, signed in as few batches as the protocol allows. */
export function signReceipts(
  finished: readonly Finished[],
  by: {
    readonly workerId: WorkerId;
    readonly signer: Signer;
    readonly orchestrator: OrchestratorAddress;
  },
  nowMs: number,
): SignedReceipts[] {
  const batches: SignedReceipts[] = [];
  for (let from = 0; from < finished.length; from += MAX_RECEIPTS_IN_BATCH) {
    const receipts = finished
      .slice(from, from + MAX_RECEIPTS_IN_BATCH)
      .map((one) => noopReceipt(one, by.workerId, by.orchestrator, nowMs));
    const hashes = receipts.map((text) => receiptHash(text, nodeSha256));
    const signature = encodeBase58(by.signer.sign(receiptsSigningBytes(hashes, nodeSha256)));
    batches.push({ receipts, signature });
  }
  return batches;
}

function noopReceipt(
  { offer, tookMs }: Finished,
  workerId: WorkerId,
  { network, audience }: OrchestratorAddress,
  nowMs: number,
): string {
  const digest = Buffer.from(nodeSha256(utf8ToBytes(offer.payload))).toString('hex');
  return receiptText({
    network,
    audience,
    workerId,
    jobId: offer.jobId,
    taskId: offer.taskId,
    attemptId: offer.attemptId,
    fence: offer.fence,
    taskDigest: `sha256:${digest}` as Digest,
    runtimeClass: RUNTIME_CLASS,
    outcome: 'succeeded',
    failure: null,
    outputs: [],
    commitment: null,
    metrics: {},
    usage: { billableMs: tookMs, cpuMs: 0, maxRssMib: 1 },
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + RECEIPT_TTL_MS,
  });
}
