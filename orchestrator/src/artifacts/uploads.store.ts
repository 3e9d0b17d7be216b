import type { Digest, UploadId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import type { Keeper } from './owner.js';

/** An upload in parts. `discarded`: it expired and its bytes are gone. */
export interface Upload {
  readonly id: UploadId;
  readonly owner: Keeper;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly state: 'open' | 'complete' | 'discarded';
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Uploads that were started. Fails with DatabaseUnavailableError; repeating is harmless. */
export abstract class UploadsStore {
  abstract add(tx: Tx, upload: Upload): Promise<void>;
  /** The upload if it is this owner's. */
  abstract find(owner: Keeper, id: UploadId): Promise<Upload | null>;
  /** Marks an open upload complete; false when it is not open any more. */
  abstract complete(tx: Tx, id: UploadId): Promise<boolean>;
  /** Forgets an upload altogether. */
  abstract remove(id: UploadId): Promise<void>;
  /** Uploads that ended before `now` and still may have bytes. */
  abstract ended(now: Date, most: number): Promise<UploadId[]>;
  abstract markDiscarded(ids: readonly UploadId[]): Promise<void>;
  /** Forgets uploads that ended before `before`. */
  abstract removeEnded(before: Date): Promise<void>;
}
