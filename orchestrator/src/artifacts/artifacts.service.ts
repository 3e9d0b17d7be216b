import { Injectable } from '@nestjs/common';
import type { AccountId, Digest, WorkerId } from '@tidemill/protocol';
import type { Readable } from 'node:stream';
import { Clock } from '../platform/clock.js';
import type { Tx } from '../platform/db/db.js';
import type { Caller } from '../platform/http/caller.js';
import { ArtifactStore, type ByteRange } from './artifact.store.js';
import { GrantsStore, type ArtifactInfo } from './grants.store.js';
import { ArtifactLimits } from './limits.js';
import { keeperOf, type Grantee } from './owner.js';
import { DamagedArtifactError, verified } from './verified.js';

/** An artifact is larger than its reader takes. */
export class ArtifactTooLargeError extends Error {
  override readonly name = 'ArtifactTooLargeError';
}

/** What other stages ask of artifacts: what is there, who may read it, and the bytes. */
@Injectable()
export class ArtifactsService {
  constructor(
    private readonly grants: GrantsStore,
    private readonly bytes: ArtifactStore,
    private readonly clock: Clock,
    private readonly limits: ArtifactLimits,
  ) {}

  /** What is known of these digests, whoever they belong to; those that are not stored are absent. */
  async stat(digests: readonly Digest[], on?: Tx): Promise<ReadonlyMap<Digest, ArtifactInfo>> {
    if (digests.length === 0) return new Map();
    const found = await this.grants.find(digests, on);
    return new Map(found.map((artifact) => [artifact.digest, artifact]));
  }

  /**
   * The whole artifact, checked against its digest, whoever it belongs to.
   * @throws ArtifactTooLargeError beyond `maxBytes`; DamagedArtifactError when it is damaged or not stored
   */
  async readAll(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const sizeBytes = await this.bytes.stat(digest);
    if (sizeBytes !== null && sizeBytes > maxBytes) {
      throw new ArtifactTooLargeError(
        `${digest} has ${sizeBytes} bytes, at most ${maxBytes} are taken`,
      );
    }
    const source = await this.bytes.read(digest);
    if (source === null) throw new DamagedArtifactError(digest);
    const chunks: Uint8Array[] = [];
    for await (const chunk of verified(source as AsyncIterable<Uint8Array>, digest))
      chunks.push(chunk); // no encoding: buffers
    return Buffer.concat(chunks);
  }

  /** Whether an account (by what it stored, or a job of its own) or a worker (by what it stored or was given) may read. */
  async mayRead(caller: Caller, digest: Digest): Promise<boolean> {
    return (await this.readable(caller, digest)) !== null;
  }

  /** The artifact if the caller may read it; null alike when it may not and when there is none. */
  async readable(caller: Caller, digest: Digest): Promise<ArtifactInfo | null> {
    return await this.grants.findReadable(keeperOf(caller), digest, this.now());
  }

  /** Those of the digests that the account stored or that its jobs produced. */
  async ownedBy(
    accountId: AccountId,
    digests: readonly Digest[],
    on?: Tx,
  ): Promise<ReadonlySet<Digest>> {
    if (digests.length === 0) return new Set();
    return new Set(await this.grants.readableBy(accountId, digests, this.now(), on));
  }

  /**
   * Gives a right to read, until `until` or until it is revoked; a longer right is never shortened. Costs the grantee no
   * quota. Returns the digests that are not stored, which nobody has a right to.
   */
  async grant(
    tx: Tx,
    digests: readonly Digest[],
    to: Grantee,
    until?: Date,
  ): Promise<readonly Digest[]> {
    if (digests.length === 0) return [];
    const given = new Set(await this.grants.addGrants(tx, digests, to, until ?? null, this.now()));
    return digests.filter((digest) => !given.has(digest));
  }

  /** A worker's copies stay, however long it takes, until `letExpire`: what it has reported is waited for. */
  async retain(tx: Tx, digests: readonly Digest[], of: WorkerId): Promise<void> {
    if (digests.length > 0) await this.grants.keepGrants(tx, digests, { kind: 'worker', id: of });
  }

  /** A worker's copies that were retained last as long as any other copy of a worker from now on. Repeating is harmless. */
  async letExpire(tx: Tx, digests: readonly Digest[], of: WorkerId): Promise<void> {
    if (digests.length === 0) return;
    const until = new Date(this.clock.nowMs() + this.limits.workerKeepMs);
    await this.grants.limitGrants(tx, digests, { kind: 'worker', id: of }, until);
  }

  /** Ends rights that were granted; what the owner stored itself stays its own. Repeating is harmless. */
  async revoke(tx: Tx, digests: readonly Digest[], of: Grantee): Promise<void> {
    if (digests.length > 0) await this.grants.endGrants(tx, digests, of, this.now());
  }

  /**
   * The bytes of an artifact for a reader that `readable` let through: a range as it lies there, or everything, checked, where
   * damage shows as an error before the last chunk. @throws DamagedArtifactError when nothing is there
   */
  async open(
    { digest }: ArtifactInfo,
    range?: ByteRange,
  ): Promise<Readable | AsyncIterable<Uint8Array>> {
    const source = await this.bytes.read(digest, range);
    if (source === null) throw new DamagedArtifactError(digest);
    return range === undefined ? verified(source as AsyncIterable<Uint8Array>, digest) : source; // no encoding: buffers
  }

  private now(): Date {
    return new Date(this.clock.nowMs());
  }
}
