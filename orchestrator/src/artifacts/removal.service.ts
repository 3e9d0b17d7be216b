import { Injectable } from '@nestjs/common';
import type { AccountId, Digest } from '@tidemill/protocol';
import { Db, type Tx } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { ProblemError } from '../platform/http/problem.js';
import { ArtifactStore } from './artifact.store.js';
import { GrantsStore } from './grants.store.js';

/** Says what still needs an account's bytes, or null. */
export type Need = (tx: Tx, accountId: AccountId, digest: Digest) => Promise<string | null>;

/** Gives an account the room back that its bytes take up. */
@Injectable()
export class RemovalService {
  private readonly needs: Need[] = [];

  constructor(
    private readonly grants: GrantsStore,
    private readonly bytes: ArtifactStore,
    private readonly db: Db,
  ) {}

  /** Stages whose work reads artifacts come after this one, so they register here. */
  askBefore(need: Need): void {
    this.needs.push(need);
  }

  /**
   * Ends the account's own right to what it stored; rights that its jobs gave it stay, and bytes to which nobody has a right go.
   * @throws ProblemError NOT_FOUND when the account has not stored it; CONFLICT when something of its own needs it
   */
  async remove(accountId: AccountId, digest: Digest): Promise<void> {
    await this.db.transaction(async (tx) => {
      const orphans = await this.grants.removeStored(
        tx,
        { kind: 'account', id: accountId },
        digest,
      );
      if (orphans === null)
        throw new ProblemError('NOT_FOUND', `${digest} is not among what you stored.`);
      for (const need of this.needs) {
        const by = await need(tx, accountId, digest);
        if (by !== null) throw new ProblemError('CONFLICT', `${digest} is needed by ${by}.`);
      }
      // Inside the transaction: whoever stores the same bytes again waits for the deleted row, and so writes after this.
      for (const orphan of orphans) await this.bytes.delete(orphan);
      faultPoint('artifacts.remove.before-commit');
    });
    faultPoint('artifacts.remove.after-commit');
  }
}
