import { makeId, type IdKind, type IdOf } from '@tidemill/protocol';
import type { Clock } from '../platform/clock.js';
import { Ids } from '../platform/ids.js';
import type { Random } from './kernel/random.js';

const BYTES_PER_ID = 10;

/** Ids that the seed decides. */
export class SeededIds extends Ids {
  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    super();
  }

  make<K extends IdKind>(kind: K): IdOf[K] {
    return makeId(kind, this.clock.nowMs(), this.random.bytes(BYTES_PER_ID));
  }
}
