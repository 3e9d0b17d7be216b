import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { Loops } from '../platform/loop.js';
import { ArtifactStore } from './artifact.store.js';
import { GrantsStore } from './grants.store.js';
import { ArtifactLimits } from './limits.js';
import { UploadsStore } from './uploads.store.js';

const EVERY_MS = 60_000;
const MAX_OWNERS = 50;
const MAX_GRANTS = 500;
const MAX_UPLOADS = 200;

/** Deletes what nobody has a right to any more: ended rights and their bytes, expired uploads, leftovers of crashes. */
@Injectable()
export class ArtifactsLoop implements OnModuleInit {
  constructor(
    private readonly bytes: ArtifactStore,
    private readonly grants: GrantsStore,
    private readonly uploads: UploadsStore,
    private readonly limits: ArtifactLimits,
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly loops: Loops,
  ) {}

  onModuleInit(): void {
    this.loops.add({ name: 'artifacts', everyMs: EVERY_MS, turn: () => this.turn() });
  }

  /** True when a turn's share was not all. */
  async turn(): Promise<boolean> {
    const now = new Date(this.clock.nowMs());
    await this.bytes.sweep(now.getTime());
    const uploads = await this.discardUploads(now);
    const owners = await this.deleteUnowned(now);
    return uploads === MAX_UPLOADS || owners === MAX_OWNERS;
  }

  private async discardUploads(now: Date): Promise<number> {
    const ended = await this.uploads.ended(now, MAX_UPLOADS);
    for (const id of ended) await this.bytes.discardUpload(id);
    await this.uploads.markDiscarded(ended);
    // Rows stay a while longer, so that whoever comes late hears that the upload has expired.
    await this.uploads.removeEnded(new Date(now.getTime() - this.limits.uploadTtlMs));
    return ended.length;
  }

  private async deleteUnowned(now: Date): Promise<number> {
    const owners = await this.grants.ownersOfEnded(now, MAX_OWNERS);
    for (const owner of owners) {
      await this.db.transaction(async (tx) => {
        const orphans = await this.grants.deleteEnded(tx, owner, now, MAX_GRANTS);
        // Inside the transaction: whoever stores the same bytes again waits for the deleted row, and so writes after this.
        for (const digest of orphans) await this.bytes.delete(digest);
      });
    }
    return owners.length;
  }
}
