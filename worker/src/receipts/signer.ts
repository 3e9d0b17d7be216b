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

/** As many of the receipts, from the first on, as fit one frame, under one signature over the Merkle root of their hashes. */
export function signBatch(
  texts: readonly string[],
  signer: Signer,
  sha256: Sha256,
): SignedReceipts {
  const [receipts = []] = pack(texts.slice(0, MAX_RECEIPTS_IN_BATCH), MAX_RECEIPTS_IN_BATCH);
  const hashes = receipts.map((text) => receiptHash(text, sha256));
  return { receipts, signature: encodeBase58(signer.sign(receiptsSigningBytes(hashes, sha256))) };
}
