import { decodeBase58 } from '../base58.js';
import {
  bytesToHex,
  hexToBytes,
  tagged,
  TAGS,
  type Sha256,
  type VerifySignature,
} from '../crypto.js';
import { parseJson } from '../json-scan.js';
import { MAX_RECEIPT_LENGTH, Receipt, receiptHash } from '../receipt.js';
import { rootByPath } from '../trail/merkle-proof.js';
import type { SignedReceipt } from './bundle.js';

/** Hash and signature check, of a server or of a browser. */
export interface ProofCrypto {
  readonly sha256: Sha256;
  readonly verify: VerifySignature;
}

/**
 * What is wrong with a receipt that stands alone.
 * - `RECEIPT_MALFORMED`: its text is no receipt.
 * - `RECEIPT_HASH`: its text is not what its hash says.
 * - `RECEIPT_PROOF`: its place and path are not those of any batch of that size.
 * - `RECEIPT_SIGNATURE`: its worker did not sign the batch that it is shown in.
 * - `RECEIPT_SIGNER`: it speaks of another worker or attempt than it is shown for.
 * - `RECEIPT_CONTRADICTS`: it claims a failure and a success at once.
 */
export type ReceiptFaultCode =
  | 'RECEIPT_MALFORMED'
  | 'RECEIPT_HASH'
  | 'RECEIPT_PROOF'
  | 'RECEIPT_SIGNATURE'
  | 'RECEIPT_SIGNER'
  | 'RECEIPT_CONTRADICTS';

export type ReceiptCheck =
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly code: ReceiptFaultCode; readonly detail: string };

/** Checks one signed receipt with nothing but itself; that the key is the worker's is for the trail to say. Never throws. */
export function verifyReceipt(
  { attemptId, workerId, publicKey, text, hash, batch }: SignedReceipt,
  { sha256, verify }: ProofCrypto,
): ReceiptCheck {
  const leaf = receiptHash(text, sha256);
  if (bytesToHex(leaf) !== hash) return bad('RECEIPT_HASH', attemptId, 'its text has another hash');
  const path = batch.path.map(hexToBytes);
  const root = rootByPath({ leaf, index: batch.index, size: batch.size, path }, sha256);
  if (root === null) {
    const place = `${batch.index} of ${batch.size}`;
    return bad('RECEIPT_PROOF', attemptId, `a path of ${path.length} leads from no place ${place}`);
  }
  const [key, signature] = [decodeBase58(publicKey), decodeBase58(batch.signature)];
  if (key === null || signature === null || !verify(key, tagged(TAGS.receipts, root), signature)) {
    return bad('RECEIPT_SIGNATURE', attemptId, `${publicKey} did not sign this batch`);
  }
  const json = parseJson(text, MAX_RECEIPT_LENGTH);
  const receipt = json.ok ? Receipt.safeParse(json.value) : undefined;
  if (receipt?.success !== true)
    return bad('RECEIPT_MALFORMED', attemptId, 'its text is no receipt');
  const says = receipt.data;
  if (says.workerId !== workerId || says.attemptId !== attemptId) {
    return bad('RECEIPT_SIGNER', attemptId, `it speaks of ${says.attemptId} by ${says.workerId}`);
  }
  if ((says.outcome === 'failed') !== (says.failure !== null)) {
    return bad('RECEIPT_CONTRADICTS', attemptId, 'it claims a failure and a success at once');
  }
  return { ok: true, receipt: says };
}

const bad = (code: ReceiptFaultCode, attemptId: string, detail: string): ReceiptCheck => ({
  ok: false,
  code,
  detail: `${attemptId}: ${detail}`,
});
