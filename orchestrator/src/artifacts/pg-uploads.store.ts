import { Injectable } from '@nestjs/common';
import type { UploadId } from '@tidemill/protocol';
import { Db, type Tx } from '../platform/db/db.js';
import type { Keeper } from './owner.js';
import { UploadsStore, type Upload } from './uploads.store.js';

@Injectable()
export class PgUploadsStore extends UploadsStore {
  constructor(private readonly db: Db) {
    super();
  }

  async add(tx: Tx, upload: Upload): Promise<void> {
    const { id, owner, digest, sizeBytes, state, createdAt, expiresAt } = upload;
    await tx.query(ADD, [id, owner.kind, owner.id, digest, sizeBytes, state, createdAt, expiresAt]);
  }

  async find(owner: Keeper, id: UploadId): Promise<Upload | null> {
    type Row = Omit<Upload, 'owner' | 'sizeBytes'> & { readonly sizeBytes: bigint };
    const [row] = await this.db.query<Row>(FIND, [id, owner.kind, owner.id]);
    return row === undefined ? null : { ...row, owner, sizeBytes: Number(row.sizeBytes) };
  }

  async complete(tx: Tx, id: UploadId): Promise<boolean> {
    return (await tx.query(COMPLETE, [id])).length > 0;
  }

  async remove(id: UploadId): Promise<void> {
    await this.db.query('DELETE FROM artifact_uploads WHERE id = $1', [id]);
  }

  async ended(now: Date, most: number): Promise<UploadId[]> {
    return (await this.db.query<{ id: UploadId }>(ENDED, [now, most])).map(({ id }) => id);
  }

  async markDiscarded(ids: readonly UploadId[]): Promise<void> {
    await this.db.query(MARK_DISCARDED, [ids]);
  }

  async removeEnded(before: Date): Promise<void> {
    await this.db.query('DELETE FROM artifact_uploads WHERE expires_at <= $1', [before]);
  }
}

const ADD = `
INSERT INTO artifact_uploads (id, owner_kind, owner_id, digest, size_bytes, state, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

const FIND = `
SELECT id, digest, size_bytes AS "sizeBytes", state, created_at AS "createdAt", expires_at AS "expiresAt"
FROM artifact_uploads WHERE id = $1 AND owner_kind = $2 AND owner_id = $3`;

const COMPLETE = `
UPDATE artifact_uploads SET state = 'complete' WHERE id = $1 AND state = 'open' RETURNING id`;

const ENDED = `
SELECT id FROM artifact_uploads WHERE expires_at <= $1 AND state <> 'discarded' ORDER BY expires_at LIMIT $2`;

const MARK_DISCARDED = `UPDATE artifact_uploads SET state = 'discarded' WHERE id = ANY ($1::text[])`;
