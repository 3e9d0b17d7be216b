import {
  decodeBase58,
  MAX_RECEIPT_LENGTH,
  merklePaths,
  parseJson,
  Receipt,
  receiptHash,
  RECEIPT_TTL_MS,
  tagged,
  TAGS,
  TFJS_OUTPUTS,
  type SignedReceipts,
  type VerifySignature,
  type WorkerId,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';

/** A receipt whose text, signature and place are in order; whether it counts is for the fence to say. */
export interface SoundReceipt {
  readonly receipt: Receipt;
  readonly text: string;
  readonly hash: Uint8Array;
  /** Its audit path in the batch that was signed, its index and the batch's size: with the signature they prove it alone. */
  readonly path: Uint8Array;
  readonly batchIndex: number;
  readonly batchSize: number;
  readonly signature: Uint8Array;
}

export type Checked =
  | { readonly ok: true; readonly sound: SoundReceipt }
  | {
      readonly ok: false;
      readonly receipt: Receipt | null;
      readonly text: string;
      readonly hash: Uint8Array;
      readonly code: string;
    };

/** A worker's clock may run ahead of ours by this much. */
const CLOCK_SKEW_MS = 10 * 60_000;

/** The cheap checks on every receipt (B.4): form, domain, signature, addressee, age, and that its parts agree with each other. */
export function checkReceipts(
  batch: SignedReceipts,
  signer: { readonly workerId: WorkerId; readonly publicKey: Uint8Array | null },
  here: { readonly network: string; readonly audience: string; readonly nowMs: number },
  verify: VerifySignature,
): Checked[] {
  const hashes = batch.receipts.map((text) => receiptHash(text, nodeSha256));
  const signature = decodeBase58(batch.signature);
  const { root, paths } = merklePaths(hashes, nodeSha256);
  const signed =
    signature !== null &&
    signer.publicKey !== null &&
    verify(signer.publicKey, tagged(TAGS.receipts, root), signature);

  return batch.receipts.map((text, batchIndex): Checked => {
    const hash = hashes[batchIndex] ?? new Uint8Array(32);
    const receipt = parse(text);
    const code =
      receipt === null
        ? 'RECEIPT_MALFORMED'
        : !signed
          ? 'SIGNATURE_INVALID'
          : faultOf(receipt, signer.workerId, here);
    if (receipt === null || signature === null || code !== null)
      return { ok: false, receipt, text, hash, code: code ?? 'RECEIPT_MALFORMED' };
    return {
      ok: true,
      sound: {
        receipt,
        text,
        hash,
        path: Buffer.concat(paths[batchIndex] ?? []),
        batchIndex,
        batchSize: hashes.length,
        signature,
      },
    };
  });
}

function parse(text: string): Receipt | null {
  const json = parseJson(text, MAX_RECEIPT_LENGTH);
  if (!json.ok) return null;
  const parsed = Receipt.safeParse(json.value);
  return parsed.success ? parsed.data : null;
}

function faultOf(
  receipt: Receipt,
  workerId: WorkerId,
  here: { network: string; audience: string; nowMs: number },
): string | null {
  if (receipt.workerId !== workerId) return 'RECEIPT_FOREIGN';
  if (receipt.network !== here.network || receipt.audience !== here.audience)
    return 'RECEIPT_ELSEWHERE';
  if (receipt.expiresAtMs < here.nowMs) return 'RECEIPT_EXPIRED';
  if (
    receipt.issuedAtMs > here.nowMs + CLOCK_SKEW_MS ||
    receipt.expiresAtMs > receipt.issuedAtMs + RECEIPT_TTL_MS
  )
    return 'RECEIPT_TIMES';
  if ((receipt.outcome === 'failed') !== (receipt.failure !== null)) return 'RECEIPT_CONTRADICTS';
  const names = receipt.outputs.map(({ name }) => name);
  if (new Set(names).size !== names.length) return 'RECEIPT_CONTRADICTS';
  const checkpoint = receipt.outputs.find(({ name }) => name === TFJS_OUTPUTS.checkpoint);
  if (checkpoint !== undefined && checkpoint.digest !== `sha256:${receipt.commitment ?? ''}`)
    return 'COMMITMENT_MISMATCH';
  return null;
}

/** The result of a receipt that names no outputs. */
const NOTHING = `outputs:${Buffer.from(nodeSha256(new Uint8Array())).toString('hex')}`;

/** Whether a receipt with this result may name outputs; that of a failure may, too. */
export const mayHaveOutputs = (result: string): boolean => result !== NOTHING;

/**
 * What verification compares: the failure, or the outputs in order of name. A commitment stands for the checkpoint whose digest it is,
 * and for nothing else that was made from it.
 */
export function resultOf({ outcome, failure, commitment, outputs }: Receipt): string {
  if (outcome === 'failed') return `failed:${failure?.code ?? ''}`;
  if (commitment === null) return `outputs:${digestOfAll(outputs)}`;
  const others = outputs.filter(({ name }) => name !== TFJS_OUTPUTS.checkpoint);
  return `commitment:${commitment}${others.length === 0 ? '' : ` outputs:${digestOfAll(others)}`}`;
}

function digestOfAll(outputs: Receipt['outputs']): string {
  const lines = [...outputs]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, digest, sizeBytes }) => `${name} ${digest} ${sizeBytes}\n`);
  return Buffer.from(nodeSha256(Buffer.from(lines.join('')))).toString('hex');
}
