import { Injectable } from '@nestjs/common';
import { Config } from '../config/env.js';
import { Loops } from '../platform/loop.js';
import { Wakeups } from '../platform/wakeups.js';
import { LedgerService } from './ledger.service.js';
import { ReleaseService } from './release.service.js';

const SWEEP_MS = 1_000;
const RELEASE_EVERY_MS = 60_000;

/** The stage's own clock. */
@Injectable()
export class LedgerLoop {
  constructor(
    config: Config,
    ledger: LedgerService,
    releases: ReleaseService,
    loops: Loops,
    wakeups: Wakeups,
  ) {
    const booking = loops.add({ name: 'ledger', everyMs: SWEEP_MS, turn: () => ledger.turn() });
    wakeups.on('verdicts', () => booking.wake());
    wakeups.on('cancel', () => booking.wake());
    if (config.release === 'standard') {
      loops.add({ name: 'ledger.release', everyMs: RELEASE_EVERY_MS, turn: () => releases.turn() });
    }
  }
}
