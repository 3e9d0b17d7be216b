import { Injectable } from '@nestjs/common';
import {
  decodeBase58,
  isPlausiblePublicKey,
  isSoundPublicKey,
  type AccountId,
} from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import type { Tx } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { IdentityStore } from './identity.store.js';

/** Which account belongs to a wallet: the only place where accounts are made. */
@Injectable()
export class Directory {
  constructor(
    private readonly store: IdentityStore,
    private readonly ids: Ids,
    private readonly clock: Clock,
    private readonly trail: TrailWriter,
  ) {}

  /**
   * The wallet's account, made in `tx` if there is none. Safe to repeat and to call from two transactions at once.
   * @throws ProblemError KEY_UNSOUND when the wallet cannot identify anybody
   */
  async ensureAccount(tx: Tx, wallet: string): Promise<AccountId> {
    soundKey(wallet);
    const fresh = this.ids.make('account');
    const createdAt = new Date(this.clock.nowMs());
    const { id, created } = await this.store.ensureAccount(tx, { id: fresh, wallet, createdAt });
    if (created) await this.trail.append(tx, [{ kind: 'account.created', subject: id, body: {} }]);
    return id;
  }
}

/**
 * Refuses a key that cannot identify anybody; of one that only asks for a message just what costs little is looked at.
 * @throws ProblemError KEY_UNSOUND: signatures that nobody made could pass for this key's
 */
export function soundKey(text: string, costs: 'little' | 'much' = 'much'): void {
  const key = decodeBase58(text);
  const isSound = costs === 'much' ? isSoundPublicKey : isPlausiblePublicKey;
  if (key === null || !isSound(key)) {
    throw new ProblemError(
      'KEY_UNSOUND',
      'The public key is not a point that can identify anybody.',
    );
  }
}
