import {
  encodeBase58,
  MAX_RECEIPTS_IN_BATCH,
  receiptHash,
  receiptsSigningBytes,
  type Sha256,
  type SignedReceipts,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { pack } from '../link/pack.js';

/** Receipts in batches that each fit one frame, each under one signature over the Merkle root of its hashes. */
export function signReceipts(
  texts: readonly string[],
  signer: Signer,
  sha256: Sha256,
): SignedReceipts[] {
  return pack(texts, MAX_RECEIPTS_IN_BATCH).map((receipts) => {
    const hashes = receipts.map((text) => receiptHash(text, sha256));
    return { receipts, signature: encodeBase58(signer.sign(receiptsSigningBytes(hashes, sha256))) };
  });
}
