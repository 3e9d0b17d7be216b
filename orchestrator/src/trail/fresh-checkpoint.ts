import { Injectable } from '@nestjs/common';
import type { CheckpointView } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Checkpoints } from './checkpoints.js';
import { TrailReader } from './trail.reader.js';

/** However many ask for evidence of what has just happened, no more checkpoints are signed than one in so long. */
const MIN_GAP_MS = 1_000;

/** The newest checkpoint, signed before its minute when somebody needs proof of something younger. */
@Injectable()
export class FreshCheckpoint {
  private lastMs = -Infinity;

  constructor(
    private readonly checkpoints: Checkpoints,
    private readonly reader: TrailReader,
    private readonly clock: Clock,
  ) {}

  /** A checkpoint over at least `size` events; null when there is none yet and it is too early to sign another. */
  async covering(size: number): Promise<CheckpointView | null> {
    const newest = await this.reader.checkpoint();
    if (newest !== null && newest.size >= size) return newest;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.lastMs < MIN_GAP_MS) return null;
    this.lastMs = nowMs;
    await this.checkpoints.sign();
    const signed = await this.reader.checkpoint();
    return signed !== null && signed.size >= size ? signed : null;
  }
}
