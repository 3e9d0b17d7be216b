import { Injectable } from '@nestjs/common';
import type { AccountId, Digest } from '@tidemill/protocol';
import { Db, type Tx } from '../platform/db/db.js';
import { GrantsStore, type ArtifactInfo, type OwnerRow, type Usage } from './grants.store.js';
import type { Grantee, Keeper } from './owner.js';

interface ArtifactRow {
  readonly digest: Digest;
  readonly sizeBytes: bigint;
  readonly createdAt: Date;
}

@Injectable()
export class PgGrantsStore extends GrantsStore {
  constructor(private readonly db: Db) {
    super();
  }

  async find(digests: readonly Digest[], on: Tx = this.db): Promise<ArtifactInfo[]> {
    return (await on.query<ArtifactRow>(FIND, [digests])).map(info);
  }

  async findReadable(reader: Keeper, digest: Digest, now: Date): Promise<ArtifactInfo | null> {
    const rows = await this.db.query<ArtifactRow>(FIND_READABLE, [
      digest,
      now,
      reader.kind,
      reader.id,
    ]);
    return rows[0] === undefined ? null : info(rows[0]);
  }

  async readableBy(
    accountId: AccountId,
    digests: readonly Digest[],
    now: Date,
    on: Tx = this.db,
  ): Promise<Digest[]> {
    const rows = await on.query<{ digest: Digest }>(READABLE_BY, [digests, now, accountId]);
    return rows.map(({ digest }) => digest);
  }

  async lockUsage(tx: Tx, owner: Keeper, now: Date): Promise<Usage> {
    await tx.query(LOCK_USAGE, [owner.kind, owner.id]);
    return await this.usage(owner, now, tx);
  }

  async usage(owner: Keeper, now: Date, on: Tx = this.db): Promise<Usage> {
    const [row] = await on.query<{ stored: bigint; reserved: string; uploads: bigint }>(USAGE, [
      owner.kind,
      owner.id,
      now,
    ]);
    return {
      storedBytes: Number(row?.stored ?? 0n),
      reservedBytes: Number(row?.reserved ?? '0'),
      uploads: Number(row?.uploads ?? 0n),
    };
  }

  async storedBy(owner: Keeper, digest: Digest, on: Tx = this.db): Promise<boolean> {
    return (await on.query(STORED_BY, [digest, owner.kind, owner.id])).length > 0;
  }

  async addStored(
    tx: Tx,
    owner: Keeper,
    artifact: ArtifactInfo,
    until: Date | null,
  ): Promise<Date> {
    const { digest, sizeBytes, createdAt } = artifact;
    const first = !(await this.storedBy(owner, digest, tx));
    await tx.query(ADD_ARTIFACT, [digest, sizeBytes, createdAt]);
    const row = [digest, owner.kind, owner.id, accountOf(owner), sizeBytes, until, createdAt];
    const [kept] = await tx.query<{ createdAt: Date }>(ADD_STORED, row);
    if (first) await tx.query(CHARGE, [owner.kind, owner.id, sizeBytes]);
    return kept?.createdAt ?? createdAt;
  }

  async addGrants(
    tx: Tx,
    digests: readonly Digest[],
    to: Grantee,
    until: Date | null,
    now: Date,
  ): Promise<Digest[]> {
    const rows = await tx.query<{ digest: Digest }>(ADD_GRANTS, [
      digests,
      to.kind,
      to.id,
      accountOf(to),
      until,
      now,
    ]);
    return rows.map(({ digest }) => digest);
  }

  async endGrants(tx: Tx, digests: readonly Digest[], of: Grantee, now: Date): Promise<void> {
    await tx.query(END_GRANTS, [digests, of.kind, of.id, now]);
  }

  async keepGrants(tx: Tx, digests: readonly Digest[], of: Keeper): Promise<void> {
    await tx.query(KEEP_GRANTS, [digests, of.kind, of.id]);
  }

  async limitGrants(tx: Tx, digests: readonly Digest[], of: Keeper, until: Date): Promise<void> {
    await tx.query(LIMIT_GRANTS, [digests, of.kind, of.id, until]);
  }

  async ownersOfEnded(now: Date, most: number): Promise<OwnerRow[]> {
    return await this.db.query<OwnerRow>(OWNERS_OF_ENDED, [now, most]);
  }

  async deleteEnded(tx: Tx, owner: OwnerRow, now: Date, most: number): Promise<Digest[]> {
    // The order of locks is that of a put: usage first, then rights, then artifacts.
    await tx.query(LOCK_USAGE, [owner.kind, owner.id]);
    const ended = await tx.query<{ digest: Digest; bytes: bigint }>(DELETE_ENDED, [
      owner.kind,
      owner.id,
      now,
      most,
    ]);
    const bytes = ended.reduce((sum, row) => sum + Number(row.bytes), 0);
    await tx.query(CHARGE, [owner.kind, owner.id, -bytes]);
    return await deleteOrphans(
      tx,
      ended.map(({ digest }) => digest),
    );
  }

  async removeStored(tx: Tx, owner: Keeper, digest: Digest): Promise<Digest[] | null> {
    await tx.query(LOCK_USAGE, [owner.kind, owner.id]);
    const [removed] = await tx.query<{ bytes: bigint }>(REMOVE_STORED, [
      digest,
      owner.kind,
      owner.id,
    ]);
    if (removed === undefined) return null;
    await tx.query(CHARGE, [owner.kind, owner.id, -removed.bytes]);
    return await deleteOrphans(tx, [digest]);
  }
}

async function deleteOrphans(tx: Tx, digests: readonly Digest[]): Promise<Digest[]> {
  // First the locks, then the look: a right given while this waited is seen.
  await tx.query(LOCK_ARTIFACTS, [digests]);
  const orphans = await tx.query<{ digest: Digest }>(DELETE_ORPHANS, [digests]);
  return orphans.map(({ digest }) => digest);
}

const info = ({ digest, sizeBytes, createdAt }: ArtifactRow): ArtifactInfo => ({
  digest,
  sizeBytes: Number(sizeBytes),
  createdAt,
});

/** The account that may read what the owner has a right to. */
function accountOf(owner: Grantee): AccountId | null {
  switch (owner.kind) {
    case 'account':
      return owner.id;
    case 'job':
      return owner.accountId;
    case 'worker':
      return null;
  }
}

const FIND = `
SELECT digest, size_bytes AS "sizeBytes", created_at AS "createdAt" FROM artifacts WHERE digest = ANY ($1::text[])`;

const FIND_READABLE = `
SELECT digest, size_bytes AS "sizeBytes", created_at AS "createdAt" FROM artifacts WHERE digest = $1 AND EXISTS (
  SELECT 1 FROM artifact_grants AS held WHERE held.digest = $1 AND (until IS NULL OR until > $2)
  AND CASE WHEN $3 = 'account' THEN account_id = $4 ELSE owner_kind = $3 AND owner_id = $4 END
)`;

const READABLE_BY = `
SELECT DISTINCT digest FROM artifact_grants
WHERE digest = ANY ($1::text[]) AND (until IS NULL OR until > $2) AND account_id = $3`;

const LOCK_USAGE = `
INSERT INTO artifact_usage (owner_kind, owner_id, stored_bytes) VALUES ($1, $2, 0)
ON CONFLICT (owner_kind, owner_id) DO UPDATE SET stored_bytes = artifact_usage.stored_bytes`;

const USAGE = `
SELECT coalesce((SELECT stored_bytes FROM artifact_usage WHERE owner_kind = $1 AND owner_id = $2), 0) AS stored,
  coalesce(sum(size_bytes), 0)::text AS reserved, count(*) AS uploads
FROM artifact_uploads WHERE owner_kind = $1 AND owner_id = $2 AND state = 'open' AND expires_at > $3`;

const STORED_BY = `
SELECT 1 FROM artifact_grants WHERE digest = $1 AND owner_kind = $2 AND owner_id = $3 AND stored`;

/** Locks the row if there is one, so that a deletion of it comes before or after this transaction and not beside it. */
const ADD_ARTIFACT = `
INSERT INTO artifacts (digest, size_bytes, created_at) VALUES ($1, $2, $3)
ON CONFLICT (digest) DO UPDATE SET created_at = artifacts.created_at`;

const ADD_STORED = `
INSERT INTO artifact_grants (digest, owner_kind, owner_id, account_id, stored_bytes, stored, until, created_at)
VALUES ($1, $2, $3, $4, $5, true, $6, $7)
ON CONFLICT (digest, owner_kind, owner_id) DO UPDATE SET stored = true, stored_bytes = EXCLUDED.stored_bytes,
  until = CASE WHEN artifact_grants.until IS NULL OR EXCLUDED.until IS NULL THEN NULL ELSE GREATEST(artifact_grants.until, EXCLUDED.until) END
RETURNING created_at AS "createdAt"`;

const CHARGE = `
UPDATE artifact_usage SET stored_bytes = stored_bytes + $3 WHERE owner_kind = $1 AND owner_id = $2`;

/**
 * In the order of digests, so that two transactions do not wait for each other. What its owner stored keeps an end if it
 * has one: a right without an end would have a worker charged for it for ever.
 */
const ADD_GRANTS = `
INSERT INTO artifact_grants (digest, owner_kind, owner_id, account_id, until, created_at)
SELECT digest, $2, $3, $4, $5, $6 FROM artifacts WHERE digest = ANY ($1::text[]) ORDER BY digest
ON CONFLICT (digest, owner_kind, owner_id) DO UPDATE SET
  until = CASE WHEN artifact_grants.until IS NULL OR (EXCLUDED.until IS NULL AND NOT artifact_grants.stored) THEN NULL
    ELSE GREATEST(artifact_grants.until, EXCLUDED.until) END
RETURNING digest`;

const END_GRANTS = `
UPDATE artifact_grants SET until = $4
WHERE owner_kind = $2 AND owner_id = $3 AND NOT stored AND (until IS NULL OR until > $4) AND digest IN (
  SELECT digest FROM artifact_grants
  WHERE digest = ANY ($1::text[]) AND owner_kind = $2 AND owner_id = $3 ORDER BY digest FOR UPDATE
)`;

const OWN = `
SELECT digest FROM artifact_grants WHERE digest = ANY ($1::text[]) AND owner_kind = $2 AND owner_id = $3 ORDER BY digest FOR UPDATE`;

const KEEP_GRANTS = `
UPDATE artifact_grants SET until = NULL
WHERE owner_kind = $2 AND owner_id = $3 AND until IS NOT NULL AND digest IN (${OWN})`;

const LIMIT_GRANTS = `
UPDATE artifact_grants SET until = $4 WHERE owner_kind = $2 AND owner_id = $3 AND until IS NULL AND digest IN (${OWN})`;

const OWNERS_OF_ENDED = `
SELECT DISTINCT owner_kind AS kind, owner_id AS id FROM (
  SELECT owner_kind, owner_id FROM artifact_grants WHERE until <= $1 ORDER BY until LIMIT $2
) AS ended`;

const DELETE_ENDED = `
DELETE FROM artifact_grants WHERE owner_kind = $1 AND owner_id = $2 AND until <= $3 AND digest IN (
  SELECT digest FROM artifact_grants WHERE owner_kind = $1 AND owner_id = $2 AND until <= $3 ORDER BY digest LIMIT $4
)
RETURNING digest, stored_bytes AS bytes`;

const REMOVE_STORED = `
DELETE FROM artifact_grants WHERE digest = $1 AND owner_kind = $2 AND owner_id = $3 AND stored RETURNING stored_bytes AS bytes`;

const LOCK_ARTIFACTS = `SELECT 1 FROM artifacts WHERE digest = ANY ($1::text[]) ORDER BY digest FOR UPDATE`;

const DELETE_ORPHANS = `
DELETE FROM artifacts WHERE digest = ANY ($1::text[])
AND NOT EXISTS (SELECT 1 FROM artifact_grants WHERE artifact_grants.digest = artifacts.digest)
RETURNING digest`;
