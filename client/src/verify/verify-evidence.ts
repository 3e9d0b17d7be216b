import {
  SignedReceipt,
  verifyProvenance,
  verifyReceipt,
  type ProvenanceReport,
  type ProvenanceTrust,
  type ReceiptCheck,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';

const CRYPTO = { sha256: nodeSha256, verify: nodeVerifier() };

/** Checks a provenance bundle, wherever it came from; it needs no network. Give the operator's key, or the bundle vouches for itself. */
export function verifyJob(bundle: unknown, trust: ProvenanceTrust = {}): ProvenanceReport {
  return verifyProvenance(bundle, trust, CRYPTO);
}

/** What is known of a receipt beside itself. */
export interface ReceiptTrust {
  /** The attempt that was asked for. */
  readonly attempt?: string | undefined;
  /** Its worker's key in base58. */
  readonly publicKey?: string | undefined;
}

/** Checks one receipt, wherever it came from; with its worker's key from elsewhere, also that the worker signed it. */
export function verifySignedReceipt(
  value: unknown,
  { attempt, publicKey }: ReceiptTrust = {},
):
  | ReceiptCheck
  | { readonly ok: false; readonly code: 'BUNDLE_MALFORMED'; readonly detail: string } {
  const signed = SignedReceipt.safeParse(value);
  if (!signed.success) {
    const [issue] = signed.error.issues;
    const detail = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a receipt'}`;
    return { ok: false, code: 'BUNDLE_MALFORMED', detail };
  }
  if (attempt !== undefined && signed.data.attemptId !== attempt) {
    const detail = `it is of ${signed.data.attemptId}, not of ${attempt}`;
    return { ok: false, code: 'RECEIPT_SIGNER', detail };
  }
  if (publicKey !== undefined && signed.data.publicKey !== publicKey) {
    const detail = `it is signed by ${signed.data.publicKey}`;
    return { ok: false, code: 'RECEIPT_SIGNER', detail };
  }
  return verifyReceipt(signed.data, CRYPTO);
}
