import { Injectable } from '@nestjs/common';
import { Config } from '../config/env.js';
import { Loops } from '../platform/loop.js';
import { JoiningService } from './joining.service.js';
import { SealingService } from './sealing.service.js';

const JOIN_EVERY_MS = 5_000;
const SEAL_EVERY_MS = 5_000;

/** The stage's own clock. Without a chain it does not run. */
@Injectable()
export class SettlementLoop {
  constructor(config: Config, joining: JoiningService, sealing: SealingService, loops: Loops) {
    if (config.settlement === null) return;
    loops.add({
      name: 'settlement.join',
      everyMs: JOIN_EVERY_MS,
      turn: () => joining.turn(),
    });
    loops.add({
      name: 'settlement.seal',
      everyMs: SEAL_EVERY_MS,
      turn: () => sealing.turn(),
    });
  }
}
