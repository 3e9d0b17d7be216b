import { randomFillSync } from 'node:crypto';
import { makeId, type IdKind, type IdOf } from '@tidemill/protocol';
import type { Clock } from './clock.js';

/** New ids, as a port: they hold the time and randomness. */
export abstract class Ids {
  abstract make<K extends IdKind>(kind: K): IdOf[K];
}

/** Random bytes are drawn from the kernel in blocks; one call per id costs more than the rest of making it. */
const BLOCK = 4_000;
const BYTES_PER_ID = 10;

export class RandomIds extends Ids {
  private readonly block = new Uint8Array(BLOCK);
  private used = BLOCK;

  constructor(private readonly clock: Clock) {
    super();
  }

  make<K extends IdKind>(kind: K): IdOf[K] {
    if (this.used + BYTES_PER_ID > BLOCK) {
      randomFillSync(this.block);
      this.used = 0;
    }
    const random = this.block.subarray(this.used, this.used + BYTES_PER_ID);
    this.used += BYTES_PER_ID;
    return makeId(kind, this.clock.nowMs(), random);
  }
}
