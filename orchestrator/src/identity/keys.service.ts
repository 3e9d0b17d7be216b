import { Injectable } from '@nestjs/common';
import type { AccountId, KeyId, KeyView, Scope } from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import type { Caller } from '../platform/http/caller.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { IdentityStore, type ApiKey } from './identity.store.js';
import { API_KEY_PREFIX, Secrets, shownPrefix, tokenHash } from './secrets.js';
import { TokenAuthenticator } from './token-authenticator.js';

/** Most keys an account has at once. */
export const MAX_KEYS_OF_ACCOUNT = 100;

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: string | undefined;
  /** The key whose budget it goes on spending. */
  readonly budgetOf?: KeyId;
}

export type Submitter = Extract<Caller, { kind: 'account' }>;

/** API keys: made once, shown once, listed without their secret, revoked for good. */
@Injectable()
export class KeysService {
  constructor(
    private readonly store: IdentityStore,
    private readonly authenticator: TokenAuthenticator,
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly secrets: Secrets,
    private readonly trail: TrailWriter,
    private readonly wakeups: Wakeups,
  ) {}

  /** `beside` is done in the same transaction. @throws ProblemError FORBIDDEN for a scope the caller lacks, CONFLICT when the account has too many keys */
  async create(
    caller: Submitter,
    { name, scopes, expiresAt, budgetOf }: NewKey,
    beside: (tx: Tx, made: KeyId) => Promise<void> = () => Promise.resolve(),
  ): Promise<KeyView & { key: string }> {
    const lacking = scopes.filter((scope) => !caller.scopes.has(scope));
    if (lacking.length > 0) {
      throw new ProblemError(
        'FORBIDDEN',
        `A key cannot have what you lack: ${lacking.join(', ')}.`,
      );
    }
    const createdAt = new Date(this.clock.nowMs());
    const end = expiresAt === undefined ? null : new Date(expiresAt);
    if (end !== null && end <= createdAt)
      throw new ProblemError('VALIDATION_FAILED', 'body.expiresAt: is in the past');
    const secret = this.secrets.token(API_KEY_PREFIX);
    const key: ApiKey = {
      id: this.ids.make('key'),
      accountId: caller.accountId,
      name,
      prefix: shownPrefix(secret),
      scopes: [...new Set(scopes)],
      createdAt,
      expiresAt: end,
      lastUsedAt: null,
      budgetOf: budgetOf ?? null,
    };
    await this.db.transaction(async (tx) => {
      const row = { ...key, hash: tokenHash(secret) };
      if (!(await this.store.addKey(tx, row, MAX_KEYS_OF_ACCOUNT, caller.budgetKey))) {
        throw new ProblemError(
          'CONFLICT',
          `An account has at most ${MAX_KEYS_OF_ACCOUNT} keys: revoke one first.`,
        );
      }
      const body = {
        accountId: key.accountId,
        scopes: [...key.scopes],
        expiresAt: end?.toISOString() ?? null,
      };
      await this.trail.append(tx, [{ kind: 'key.created', subject: key.id, body }]);
      await beside(tx, key.id);
      faultPoint('identity.key.before-commit');
    });
    faultPoint('identity.key.after-commit');
    return { ...view(key), key: secret };
  }

  /** One page of the account's keys, oldest first. @throws ProblemError CURSOR_INVALID */
  async list(
    accountId: AccountId,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<KeyView>> {
    const after = positionOf('keys', cursor, /^key_[0-9a-z]{26}$/);
    const keys = await this.store.listKeys(accountId, after?.[0] ?? null, limit + 1);
    return pageOf('keys', keys.map(view), limit, ({ id }) => id);
  }

  /** Ends a key: here at once, and everywhere as soon as its commit is heard of; streams it opened end. Revoking twice is revoking once. @throws ProblemError NOT_FOUND */
  async revoke(accountId: AccountId, id: KeyId): Promise<void> {
    const revoked = await this.db.transaction(async (tx) => {
      const key = await this.store.revokeKey(tx, accountId, id, new Date(this.clock.nowMs()));
      if (key?.first) {
        await this.trail.append(tx, [{ kind: 'key.revoked', subject: id, body: { accountId } }]);
        await this.wakeups.notify(tx, 'keys');
      }
      faultPoint('identity.revoke.before-commit');
      return key;
    });
    faultPoint('identity.revoke.after-commit');
    if (revoked === null) throw new ProblemError('NOT_FOUND', 'There is no such key of yours.');
    this.authenticator.forget(revoked.hash);
  }
}

function view({ id, name, prefix, createdAt, expiresAt, lastUsedAt, scopes }: ApiKey): KeyView {
  return {
    id,
    name,
    prefix,
    scopes: [...scopes],
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}
