import { Injectable } from '@nestjs/common';
import { Loops } from '../platform/loop.js';
import { Wakeups } from '../platform/wakeups.js';
import { VerificationService } from './verification.service.js';

const SWEEP_MS = 1_000;

/** The stage's own clock. */
@Injectable()
export class VerificationLoop {
  constructor(verification: VerificationService, loops: Loops, wakeups: Wakeups) {
    const loop = loops.add({
      name: 'verification',
      everyMs: SWEEP_MS,
      turn: () => verification.turn(),
    });
    wakeups.on('receipts', () => loop.wake());
  }
}
