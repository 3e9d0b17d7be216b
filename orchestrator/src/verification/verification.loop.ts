import { Injectable } from '@nestjs/common';
import { Loops } from '../platform/loop.js';
import { Wakeups } from '../platform/wakeups.js';
import { VerificationService } from './verification.service.js';
import { Waivers } from './waivers.js';

const SWEEP_MS = 1_000;
/** Waiting for a minute need not be measured to the second. */
const WAIVE_EVERY_MS = 5_000;

/** The stage's own clock. */
@Injectable()
export class VerificationLoop {
  constructor(verification: VerificationService, waivers: Waivers, loops: Loops, wakeups: Wakeups) {
    const loop = loops.add({
      name: 'verification',
      everyMs: SWEEP_MS,
      turn: () => verification.turn(),
    });
    loops.add({
      name: 'verification.waive',
      everyMs: WAIVE_EVERY_MS,
      turn: () => waivers.turn(),
    });
    wakeups.on('receipts', () => loop.wake());
  }
}
