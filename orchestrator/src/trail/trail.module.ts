import { Inject, Module, type BeforeApplicationShutdown, type Provider } from '@nestjs/common';
import type { Signer } from '@tidemill/protocol/node';
import type { Logger } from 'pino';
import { Config } from '../config/env.js';
import { Clock } from '../platform/clock.js';
import { SequencerDb } from '../platform/db/db.js';
import { Loops } from '../platform/loop.js';
import { LOGGER, SIGNER } from '../platform/platform.module.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { CHECKPOINT_EVERY_MS, Checkpoints } from './checkpoints.js';
import { FreshCheckpoint } from './fresh-checkpoint.js';
import { SEQUENCER_EVERY_MS, SequencerLoop } from './sequencer.loop.js';
import { PgTrailWriter } from './pg-trail.writer.js';
import { Sequencer } from './sequencer.js';
import { TrailController } from './trail.controller.js';
import { TrailExport } from './trail-export.js';
import { TrailReader } from './trail.reader.js';
import { TrailWriter } from './trail.writer.js';
import { WitnessesController } from './witnesses.controller.js';
import { Witnesses } from './witnesses.js';

const sequencerLoop: Provider = {
  provide: SequencerLoop,
  useFactory: (db: SequencerDb, clock: Clock, telemetry: Telemetry, log: Logger) =>
    new SequencerLoop(new Sequencer(db), clock, telemetry, log),
  inject: [SequencerDb, Clock, Telemetry, LOGGER],
};

const checkpoints: Provider = {
  provide: Checkpoints,
  useFactory: (db: SequencerDb, signer: Signer, config: Config, clock: Clock) =>
    new Checkpoints(db, signer, config.network, clock),
  inject: [SequencerDb, SIGNER, Config, Clock],
};

/**
 * Trail: what was decided, when and why, so that nobody can change it unseen.
 *
 * Reads:    trail_events of committed transactions.
 * Writes:   their places, the hash chain and tree over them, signed checkpoints, and what witnesses sign of those.
 * Promises: an event exists exactly when its change was committed; it gets one place, once, within a second (G15).
 */
@Module({
  controllers: [TrailController, WitnessesController],
  providers: [
    { provide: TrailWriter, useClass: PgTrailWriter },
    TrailReader,
    FreshCheckpoint,
    TrailExport,
    Witnesses,
    sequencerLoop,
    checkpoints,
  ],
  exports: [TrailWriter, TrailReader, FreshCheckpoint],
})
export class TrailModule implements BeforeApplicationShutdown {
  constructor(
    @Inject(Loops) loops: Loops,
    @Inject(SequencerLoop) private readonly sequencing: SequencerLoop,
    @Inject(Checkpoints) private readonly signing: Checkpoints,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    loops.add({
      name: 'trail-sequencer',
      everyMs: SEQUENCER_EVERY_MS,
      turn: () => this.sequencing.turn(),
    });
    loops.add({ name: 'trail-checkpoint', everyMs: CHECKPOINT_EVERY_MS, turn: () => this.sign() });
  }

  /** Leaves as little as possible without a place and a signature. What cannot be done now, the next start does. */
  async beforeApplicationShutdown(): Promise<void> {
    try {
      await this.sequencing.turn();
      await this.sign();
    } catch (err) {
      this.log.warn({ err }, 'the trail was not signed at shutdown');
    }
  }

  private async sign(): Promise<void> {
    const size = await this.signing.sign();
    if (size !== null) this.log.info({ size }, 'trail checkpoint signed');
  }
}
