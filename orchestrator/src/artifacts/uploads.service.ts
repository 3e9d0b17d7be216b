import { Injectable } from '@nestjs/common';
import type { Digest, UploadId, UploadView } from '@tidemill/protocol';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { ArtifactStore } from './artifact.store.js';
import { GrantsStore } from './grants.store.js';
import { IntakeService } from './intake.service.js';
import { ArtifactLimits } from './limits.js';
import { NewestFirst } from './newest-first.js';
import type { Keeper } from './owner.js';
import { Quota } from './quota.js';
import { received } from './received.js';
import { UploadsStore, type Upload } from './uploads.store.js';

type View = z.infer<typeof UploadView>;

/** Uploads in parts, which a cut connection does not undo. */
@Injectable()
export class UploadsService {
  private readonly appends = new NewestFirst<UploadId>();

  constructor(
    private readonly uploads: UploadsStore,
    private readonly bytes: ArtifactStore,
    private readonly grants: GrantsStore,
    private readonly intake: IntakeService,
    private readonly quota: Quota,
    private readonly limits: ArtifactLimits,
    private readonly db: Db,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  /** Starts an upload and sets its size aside in the owner's quota. @throws ProblemError ARTIFACT_TOO_LARGE, QUOTA_EXCEEDED */
  async create(owner: Keeper, digest: Digest, sizeBytes: number): Promise<View> {
    this.intake.refuseTooLarge(sizeBytes);
    const createdAt = new Date(this.clock.nowMs());
    const upload: Upload = {
      id: this.ids.make('upload'),
      owner,
      digest,
      sizeBytes,
      state: 'open',
      createdAt,
      expiresAt: new Date(createdAt.getTime() + this.limits.uploadTtlMs),
    };
    await this.db.transaction(async (tx) => {
      const usage = await this.grants.lockUsage(tx, owner, createdAt);
      if (usage.uploads >= this.limits.openUploads) {
        throw new ProblemError(
          'QUOTA_EXCEEDED',
          `At most ${this.limits.openUploads} uploads may be open at once.`,
        );
      }
      this.quota.check(owner, usage, sizeBytes);
      await this.uploads.add(tx, upload);
      faultPoint('artifacts.upload.before-commit');
    });
    faultPoint('artifacts.upload.after-commit');
    return view(upload, 0);
  }

  /** How far the upload is. @throws ProblemError NOT_FOUND, UPLOAD_GONE */
  async progress(owner: Keeper, id: UploadId): Promise<View> {
    const upload = await this.find(owner, id);
    return view(upload, await this.offsetOf(upload));
  }

  /**
   * Takes the next bytes; with the last ones the artifact is stored. What arrives before a cut stays. Of two senders at once
   * the later one goes on, since the earlier one's connection is most likely dead.
   * @throws ProblemError NOT_FOUND, UPLOAD_GONE, UPLOAD_OFFSET, ARTIFACT_TOO_LARGE, DIGEST_MISMATCH; what the source throws
   */
  async append(
    owner: Keeper,
    id: UploadId,
    offset: number,
    source: Readable,
    declaredBytes?: number,
  ): Promise<View> {
    await this.find(owner, id);
    return await this.appends.run(id, source, async () => {
      const upload = await this.find(owner, id);
      const held = await this.offsetOf(upload);
      if (offset !== held)
        throw new ProblemError('UPLOAD_OFFSET', `The upload continues at ${held}.`);
      if (upload.state === 'complete') return view(upload, held);
      this.refuseBeyond(upload, offset + (declaredBytes ?? 0));
      const reached = await this.bytes.append(id, offset, this.bounded(upload, offset, source));
      if (reached === upload.sizeBytes) await this.complete(upload);
      return view(upload, reached);
    });
  }

  private async complete({ owner, id, digest }: Upload): Promise<void> {
    const staged = await this.bytes.stageUpload(id);
    if (staged === null) throw gone();
    if (staged.digest !== digest) await this.uploads.remove(id);
    await this.intake.keep(owner, digest, staged, id);
  }

  private async find(owner: Keeper, id: UploadId): Promise<Upload> {
    const upload = await this.uploads.find(owner, id);
    if (upload === null) throw new ProblemError('NOT_FOUND', 'There is no such upload of yours.');
    if (upload.state === 'discarded' || upload.expiresAt.getTime() <= this.clock.nowMs())
      throw gone();
    return upload;
  }

  private async offsetOf({ id, state, sizeBytes }: Upload): Promise<number> {
    return state === 'complete' ? sizeBytes : await this.bytes.uploadedBytes(id);
  }

  private async *bounded(
    upload: Upload,
    offset: number,
    source: Readable,
  ): AsyncGenerator<Uint8Array> {
    let reached = offset;
    for await (const chunk of received(source)) {
      reached += chunk.length;
      this.refuseBeyond(upload, reached);
      yield chunk;
    }
  }

  private refuseBeyond({ sizeBytes }: Upload, reached: number): void {
    if (reached > sizeBytes)
      throw new ProblemError(
        'ARTIFACT_TOO_LARGE',
        `The upload was started for ${sizeBytes} bytes.`,
      );
  }
}

const gone = (): ProblemError => new ProblemError('UPLOAD_GONE', 'The upload has expired.');

const view = ({ id, sizeBytes, expiresAt }: Upload, offset: number): View => ({
  id,
  offset,
  sizeBytes,
  expiresAt: expiresAt.toISOString(),
});
