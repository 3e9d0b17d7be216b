import type { Digest, UploadId } from '@tidemill/protocol';
import type { Readable } from 'node:stream';

/** Bytes that were received and hashed, and are not kept yet. */
export interface StagedBytes {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Keeps them under their digest, durably, in place of whatever was there. Repeating it is harmless. */
  keep(): Promise<void>;
  /** Forgets them; after `keep` it does nothing. */
  discard(): Promise<void>;
}

/** The bytes from `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Where bytes lie, as a port. It knows digests and uploads, and nothing of who owns them. Every method fails with the
 * error of the storage behind it; trying again is harmless.
 */
export abstract class ArtifactStore {
  /** Receives a whole stream, as fast as it can be written; when the source or the storage fails, nothing is left. */
  abstract stage(source: AsyncIterable<Uint8Array>): Promise<StagedBytes>;

  /** Writes a stream into an upload from `offset` on and returns its new length. What arrived before a failure stays. */
  abstract append(
    upload: UploadId,
    offset: number,
    source: AsyncIterable<Uint8Array>,
  ): Promise<number>;
  /** Length of what an upload holds; 0 when nothing arrived yet. */
  abstract uploadedBytes(upload: UploadId): Promise<number>;
  /** Hashes what an upload holds, for `keep`. Null when it was discarded. */
  abstract stageUpload(upload: UploadId): Promise<StagedBytes | null>;
  abstract discardUpload(upload: UploadId): Promise<void>;

  /** The bytes as they lie there, whole or a range; null when there are none. They may be damaged: see `verified`. */
  abstract read(digest: Digest, range?: ByteRange): Promise<Readable | null>;
  /** Size in bytes; null when there are none. */
  abstract stat(digest: Digest): Promise<number | null>;
  abstract delete(digest: Digest): Promise<void>;
  /** Deletes what a crash left half received and nobody has written to since; returns how many. */
  abstract sweep(nowMs: number): Promise<number>;
}
