import type { AccountId, KeyId, Scope } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

/** A message that waits for its signature. */
export interface Challenge {
  readonly nonce: string;
  readonly wallet: string;
  readonly message: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** An API key without its secret. */
export interface ApiKey {
  readonly id: KeyId;
  readonly accountId: AccountId;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  /** The key whose budget it shares; null: its own. */
  readonly budgetOf: KeyId | null;
}

/** Who a token belongs to. `keyId` is null for a login, which has no scopes of its own. */
export interface TokenOwner {
  readonly accountId: AccountId;
  readonly wallet: string;
  readonly keyId: KeyId | null;
  readonly budgetKey: KeyId | null;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
}

/** What identity keeps. Every method fails with DatabaseUnavailableError when nothing answers; repeating it is harmless. */
export abstract class IdentityStore {
  /** Keeps a challenge, and of its wallet's others only the newest so that there are at most `most`. */
  abstract addChallenge(challenge: Challenge, most: number): Promise<void>;
  /** Takes the challenge away and returns it: of two logins with one nonce, one gets it. */
  abstract takeChallenge(nonce: string): Promise<Challenge | null>;
  /** The account of the wallet, which `id` names if there is none yet. */
  abstract ensureAccount(
    tx: Tx,
    account: { readonly id: AccountId; readonly wallet: string; readonly createdAt: Date },
  ): Promise<{ readonly id: AccountId; readonly created: boolean }>;
  abstract addLogin(
    tx: Tx,
    login: {
      readonly hash: Buffer;
      readonly accountId: AccountId;
      readonly createdAt: Date;
      readonly expiresAt: Date;
    },
  ): Promise<void>;
  /**
   * Stores a key unless its account has `most` already; says which. Keys of one account are counted one at a time. One that was made
   * by a key with a budget shares that, whatever `budgetOf` says.
   */
  abstract addKey(
    tx: Tx,
    key: ApiKey & { readonly hash: Buffer },
    most: number,
    by: KeyId | null,
  ): Promise<boolean>;
  /** Keys that are not revoked, oldest first, after `after`. */
  abstract listKeys(accountId: AccountId, after: string | null, limit: number): Promise<ApiKey[]>;
  /** A key of the account that is not revoked. */
  abstract oneKey(tx: Tx, accountId: AccountId, id: KeyId): Promise<ApiKey | null>;
  /** Lets a key of the account end at this time, unless it ends before. */
  abstract endKeyBy(tx: Tx, accountId: AccountId, id: KeyId, at: Date): Promise<void>;
  /** Ends a key of the account. `hash` is its token's; `first` is false when it was revoked before. Null: no such key. */
  abstract revokeKey(
    tx: Tx,
    accountId: AccountId,
    id: KeyId,
    at: Date,
  ): Promise<{ readonly hash: Buffer; readonly first: boolean } | null>;
  /** Who the token with this hash belongs to, unless it is revoked. Its expiry is for the caller to judge. */
  abstract findLogin(hash: Buffer): Promise<TokenOwner | null>;
  abstract findKey(hash: Buffer): Promise<TokenOwner | null>;
  /** Notes when keys were last used; an older time never replaces a newer one. */
  abstract noteUses(uses: ReadonlyMap<KeyId, Date>): Promise<void>;
  /** Deletes at most `most` challenges and as many logins that ended before `now`; says whether more may be left. */
  abstract deleteExpired(now: Date, most: number): Promise<boolean>;
}
