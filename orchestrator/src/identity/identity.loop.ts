import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../platform/clock.js';
import { Loops } from '../platform/loop.js';
import { IdentityStore } from './identity.store.js';
import { TokenAuthenticator } from './token-authenticator.js';

/** A key's last use is written at most this often. */
const EVERY_MS = 60_000;
const MAX_DELETED = 5_000;

/** Notes when keys were used and deletes what has expired. */
@Injectable()
export class IdentityLoop implements OnModuleInit {
  constructor(
    private readonly store: IdentityStore,
    private readonly authenticator: TokenAuthenticator,
    private readonly clock: Clock,
    private readonly loops: Loops,
  ) {}

  onModuleInit(): void {
    this.loops.add({ name: 'identity', everyMs: EVERY_MS, turn: () => this.turn() });
  }

  /** True when more than one turn's share has expired. */
  async turn(): Promise<boolean> {
    const uses = this.authenticator.takeUses();
    if (uses.size > 0) await this.store.noteUses(uses);
    return await this.store.deleteExpired(new Date(this.clock.nowMs()), MAX_DELETED);
  }
}
