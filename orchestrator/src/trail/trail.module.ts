import { Module } from '@nestjs/common';
import { TrailWriter } from './trail.writer.js';

/**
 * Trail: what was decided, when and why, so that nobody can change it unseen.
 *
 * Reads:    trail_events of committed transactions.
 * Writes:   their places, the hash chain and tree over them, and signed checkpoints.
 * Promises: an event exists exactly when its change was committed; it gets one place, once, within a second.
 */
@Module({ providers: [TrailWriter], exports: [TrailWriter] })
export class TrailModule {}
