import { bytesToHex, encodeBase58, type CheckpointView } from '@tidemill/protocol';

export interface CheckpointRow {
  readonly size: bigint;
  readonly network: string;
  readonly root: Buffer;
  readonly chain: Buffer;
  readonly at_ms: bigint;
  readonly public_key: Buffer;
  readonly signature: Buffer;
}

export const CHECKPOINT_COLUMNS = 'size, network, root, chain, at_ms, public_key, signature';

/** A checkpoint as it is shown: what is signed can be read back from it. */
export function checkpointView(row: CheckpointRow): CheckpointView {
  return {
    size: Number(row.size),
    root: bytesToHex(row.root),
    chain: bytesToHex(row.chain),
    at: timeText(row.at_ms),
    network: row.network,
    publicKey: encodeBase58(row.public_key),
    signature: encodeBase58(row.signature),
  };
}

/** Milliseconds since 1970 as ISO 8601 with exactly three decimals, so that what is hashed can be read back from it. */
export function timeText(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}
