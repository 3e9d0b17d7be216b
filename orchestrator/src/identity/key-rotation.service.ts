import { Injectable } from '@nestjs/common';
import type { KeyId, KeyView } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { IdentityStore } from './identity.store.js';
import { KeysService, type Submitter } from './keys.service.js';

/** Replaces API keys without a gap: for a while both are good, then the old one ends by itself. */
@Injectable()
export class KeyRotationService {
  constructor(
    private readonly store: IdentityStore,
    private readonly keys: KeysService,
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly trail: TrailWriter,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * A new key with the old one's name, scopes and end; the old one ends after `graceS` seconds, or at its own end if that is sooner.
   * @throws ProblemError NOT_FOUND, FORBIDDEN when the key may do what the caller may not, CONFLICT when there are too many
   */
  async rotate(caller: Submitter, id: KeyId, graceS: number): Promise<KeyView & { key: string }> {
    const nowMs = this.clock.nowMs();
    const old = await this.store.oneKey(this.db, caller.accountId, id);
    if (old === null || (old.expiresAt !== null && old.expiresAt.getTime() <= nowMs))
      throw new ProblemError('NOT_FOUND', 'There is no such key of yours.');
    const wanted = {
      name: old.name,
      scopes: old.scopes,
      expiresAt: old.expiresAt?.toISOString(),
      budgetOf: old.budgetOf ?? old.id,
    };
    // In one transaction: a crash between the two would leave a key that nobody has seen, and the old one good for ever.
    return this.keys.create(caller, wanted, async (tx, by) => {
      await this.store.endKeyBy(tx, caller.accountId, id, new Date(nowMs + graceS * 1_000));
      const body = { accountId: caller.accountId, by, graceS };
      await this.trail.append(tx, [{ kind: 'key.rotated', subject: id, body }]);
      await this.wakeups.notify(tx, 'keys');
    });
  }
}
