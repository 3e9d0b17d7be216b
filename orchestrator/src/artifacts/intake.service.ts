import { Injectable } from '@nestjs/common';
import type { ArtifactView, Digest, UploadId } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { ProblemError } from '../platform/http/problem.js';
import { ArtifactStore, type StagedBytes } from './artifact.store.js';
import { GrantsStore, type ArtifactInfo } from './grants.store.js';
import { ArtifactLimits } from './limits.js';
import type { Keeper } from './owner.js';
import { Quota, type Arrival } from './quota.js';
import { UploadsStore } from './uploads.store.js';

/** Takes bytes in: exactly those with the digest that was named, or nothing. */
@Injectable()
export class IntakeService {
  constructor(
    private readonly bytes: ArtifactStore,
    private readonly grants: GrantsStore,
    private readonly uploads: UploadsStore,
    private readonly quota: Quota,
    private readonly limits: ArtifactLimits,
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /**
   * Stores a stream under its digest for its owner. Bytes that are here already are received all the same: having them is
   * what gives the right to them, and nobody learns what others have stored. Sending them again is harmless.
   * @throws ProblemError DIGEST_MISMATCH, ARTIFACT_TOO_LARGE, QUOTA_EXCEEDED; what the source throws
   */
  async put(
    owner: Keeper,
    digest: Digest,
    source: AsyncIterable<Uint8Array>,
    declaredBytes?: number,
  ): Promise<ArtifactView> {
    this.refuseTooLarge(declaredBytes ?? 0);
    const arrival = (await this.grants.storedBy(owner, digest))
      ? null
      : this.quota.begin(owner, await this.grants.usage(owner, this.now()), declaredBytes ?? 0);
    try {
      const staged = await this.bytes.stage(this.metered(source, arrival));
      arrival?.end();
      return view(await this.keep(owner, digest, staged));
    } finally {
      arrival?.end();
    }
  }

  /**
   * Books staged bytes to their owner and keeps them, both or neither; whatever happens, nothing stays staged. `upload` is
   * the one they came by, which is complete with that.
   */
  async keep(
    owner: Keeper,
    digest: Digest,
    staged: StagedBytes,
    upload?: UploadId,
  ): Promise<ArtifactInfo> {
    try {
      if (staged.digest !== digest) {
        throw new ProblemError(
          'DIGEST_MISMATCH',
          `The ${staged.sizeBytes} bytes received have the digest ${staged.digest}.`,
        );
      }
      const kept = await this.db.transaction(async (tx) => {
        const now = this.now();
        const artifact = { digest, sizeBytes: staged.sizeBytes, createdAt: now };
        if (upload !== undefined && !(await this.uploads.complete(tx, upload))) {
          throw new ProblemError(
            'UPLOAD_GONE',
            'The upload ended before its last bytes were booked.',
          );
        }
        const usage = await this.grants.lockUsage(tx, owner, now);
        if (!(await this.grants.storedBy(owner, digest, tx)))
          this.quota.check(owner, usage, staged.sizeBytes);
        const createdAt = await this.grants.addStored(tx, owner, artifact, this.endFor(owner, now));
        // Last, so that bytes are kept only when all else is settled; the artifact's row keeps a deletion of them waiting.
        faultPoint('artifacts.keep.before-bytes');
        await staged.keep();
        faultPoint('artifacts.keep.before-commit');
        return { ...artifact, createdAt };
      });
      faultPoint('artifacts.keep.after-commit');
      return kept;
    } finally {
      await staged.discard();
    }
  }

  /** @throws ProblemError ARTIFACT_TOO_LARGE */
  refuseTooLarge(bytes: number): void {
    const { artifactBytes } = this.limits;
    if (bytes > artifactBytes)
      throw new ProblemError(
        'ARTIFACT_TOO_LARGE',
        `An artifact has at most ${artifactBytes} bytes.`,
      );
  }

  private async *metered(
    source: AsyncIterable<Uint8Array>,
    arrival: Arrival | null,
  ): AsyncGenerator<Uint8Array> {
    let received = 0;
    for await (const chunk of source) {
      received += chunk.length;
      this.refuseTooLarge(received);
      arrival?.take(chunk.length);
      yield chunk;
    }
  }

  /** A worker's own copy lasts until a job has surely taken it over; an account's lasts. */
  private endFor(owner: Keeper, now: Date): Date | null {
    return owner.kind === 'worker' ? new Date(now.getTime() + this.limits.workerKeepMs) : null;
  }

  private now(): Date {
    return new Date(this.clock.nowMs());
  }
}

const view = ({ digest, sizeBytes, createdAt }: ArtifactInfo): ArtifactView => ({
  digest,
  sizeBytes,
  createdAt: createdAt.toISOString(),
});
