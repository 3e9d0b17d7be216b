import type { AccountId, Digest } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import type { Grantee, Keeper } from './owner.js';

export interface ArtifactInfo {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly createdAt: Date;
}

/** What an owner stores, and what it has asked to upload and not sent yet. */
export interface Usage {
  readonly storedBytes: number;
  readonly reservedBytes: number;
  /** Uploads that are open. */
  readonly uploads: number;
}

/** Which artifacts there are and who may read them. Fails with DatabaseUnavailableError; repeating is harmless. */
export abstract class GrantsStore {
  /** What is known of these digests; unknown ones are absent. */
  abstract find(digests: readonly Digest[], on?: Tx): Promise<ArtifactInfo[]>;
  /** The artifact if `reader` may read it at `now`. */
  abstract findReadable(reader: Keeper, digest: Digest, now: Date): Promise<ArtifactInfo | null>;
  /** Those of the digests that the account may read at `now`. */
  abstract readableBy(
    accountId: AccountId,
    digests: readonly Digest[],
    now: Date,
    on?: Tx,
  ): Promise<Digest[]>;

  /** Makes other changes to the owner's usage wait until `tx` ends, and returns it. */
  abstract lockUsage(tx: Tx, owner: Keeper, now: Date): Promise<Usage>;
  abstract usage(owner: Keeper, now: Date): Promise<Usage>;
  /** Bytes the owner is charged for this digest already. */
  abstract storedBy(owner: Keeper, digest: Digest, on?: Tx): Promise<boolean>;
  /**
   * Adds the artifact, the owner's right to it until then, and what it is charged for the first time. Returns since when the
   * owner has it, and not since when it is here: that would tell whether others have it.
   */
  abstract addStored(
    tx: Tx,
    owner: Keeper,
    artifact: ArtifactInfo,
    until: Date | null,
  ): Promise<Date>;

  /** Gives the right to read to all digests that are stored, and returns those. A longer right is never shortened. */
  abstract addGrants(
    tx: Tx,
    digests: readonly Digest[],
    to: Grantee,
    until: Date | null,
    now: Date,
  ): Promise<Digest[]>;
  /** Ends rights that were given; what the owner stored itself stays its own. */
  abstract endGrants(tx: Tx, digests: readonly Digest[], of: Grantee, now: Date): Promise<void>;

  /** Takes the end from rights of an owner that have one. */
  abstract keepGrants(tx: Tx, digests: readonly Digest[], of: Keeper): Promise<void>;
  /** Gives the rights of an owner that have no end this one. */
  abstract limitGrants(tx: Tx, digests: readonly Digest[], of: Keeper, until: Date): Promise<void>;

  /** Some owners with rights that ended before `now`. */
  abstract ownersOfEnded(now: Date, most: number): Promise<OwnerRow[]>;
  /** Takes an owner's stored bytes from it and from its usage. Null when it has not stored them; else the digest if nobody has a right to it any more. */
  abstract removeStored(tx: Tx, owner: Keeper, digest: Digest): Promise<Digest[] | null>;
  /** Deletes at most `most` ended rights of one owner, and returns the digests to which nobody has a right any more. */
  abstract deleteEnded(tx: Tx, owner: OwnerRow, now: Date, most: number): Promise<Digest[]>;
}

/** An owner as the table names it. */
export interface OwnerRow {
  readonly kind: Grantee['kind'];
  readonly id: string;
}
