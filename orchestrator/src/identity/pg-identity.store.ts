import { Injectable } from '@nestjs/common';
import type { AccountId, KeyId } from '@tidemill/protocol';
import { Db, type Tx } from '../platform/db/db.js';
import { IdentityStore, type ApiKey, type Challenge, type TokenOwner } from './identity.store.js';

@Injectable()
export class PgIdentityStore extends IdentityStore {
  constructor(private readonly db: Db) {
    super();
  }

  async addChallenge(challenge: Challenge, most: number): Promise<void> {
    const { nonce, wallet, message, issuedAt, expiresAt } = challenge;
    await this.db.query(ADD_CHALLENGE, [nonce, wallet, message, issuedAt, expiresAt, most - 1]);
  }

  async takeChallenge(nonce: string): Promise<Challenge | null> {
    const [row] = await this.db.query<Challenge>(TAKE_CHALLENGE, [nonce]);
    return row ?? null;
  }

  async ensureAccount(
    tx: Tx,
    account: { readonly id: AccountId; readonly wallet: string; readonly createdAt: Date },
  ): Promise<{ readonly id: AccountId; readonly created: boolean }> {
    const found = await this.findAccount(tx, account.wallet);
    if (found !== null) return { id: found, created: false };
    const made = await tx.query(ADD_ACCOUNT, [account.id, account.wallet, account.createdAt]);
    if (made.length > 0) return { id: account.id, created: true };
    const other = await this.findAccount(tx, account.wallet);
    if (other === null) throw new Error(`account of ${account.wallet} is neither new nor there`);
    return { id: other, created: false };
  }

  async addLogin(
    tx: Tx,
    login: {
      readonly hash: Buffer;
      readonly accountId: AccountId;
      readonly createdAt: Date;
      readonly expiresAt: Date;
    },
  ): Promise<void> {
    await tx.query(ADD_LOGIN, [login.hash, login.accountId, login.createdAt, login.expiresAt]);
  }

  async addKey(
    tx: Tx,
    key: ApiKey & { readonly hash: Buffer },
    most: number,
    by: KeyId | null,
  ): Promise<boolean> {
    await tx.query(ONE_AT_A_TIME, [key.accountId]);
    const { id, accountId, name, hash, prefix, scopes, createdAt, expiresAt } = key;
    const row = [id, accountId, name, hash, prefix, scopes, createdAt, expiresAt];
    return (await tx.query(ADD_KEY, [...row, most, key.budgetOf, by])).length > 0;
  }

  async listKeys(accountId: AccountId, after: string | null, limit: number): Promise<ApiKey[]> {
    return await this.db.query<ApiKey>(LIST_KEYS, [accountId, after ?? '', limit]);
  }

  async oneKey(tx: Tx, accountId: AccountId, id: KeyId): Promise<ApiKey | null> {
    const [row] = await tx.query<ApiKey>(
      `SELECT ${KEY_COLUMNS} FROM api_keys WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL`,
      [id, accountId],
    );
    return row ?? null;
  }

  async endKeyBy(tx: Tx, accountId: AccountId, id: KeyId, at: Date): Promise<void> {
    await tx.query(
      'UPDATE api_keys SET expires_at = least(expires_at, $3) WHERE id = $1 AND account_id = $2',
      [id, accountId, at],
    );
  }

  async revokeKey(
    tx: Tx,
    accountId: AccountId,
    id: KeyId,
    at: Date,
  ): Promise<{ readonly hash: Buffer; readonly first: boolean } | null> {
    const [revoked] = await tx.query<{ hash: Buffer }>(REVOKE_KEY, [id, accountId, at]);
    if (revoked !== undefined) return { hash: revoked.hash, first: true };
    const [before] = await tx.query<{ hash: Buffer }>(KEY_HASH, [id, accountId]);
    return before === undefined ? null : { hash: before.hash, first: false };
  }

  async findLogin(hash: Buffer): Promise<TokenOwner | null> {
    const [row] = await this.db.query<TokenOwner>(FIND_LOGIN, [hash]);
    return row ?? null;
  }

  async findKey(hash: Buffer): Promise<TokenOwner | null> {
    const [row] = await this.db.query<TokenOwner>(FIND_KEY, [hash]);
    return row ?? null;
  }

  async noteUses(uses: ReadonlyMap<KeyId, Date>): Promise<void> {
    // Sorted, so that two replicas lock the rows in the same order.
    const sorted = [...uses].sort(([a], [b]) => (a < b ? -1 : 1));
    await this.db.query(NOTE_USES, [sorted.map(([id]) => id), sorted.map(([, at]) => at)]);
  }

  async deleteExpired(now: Date, most: number): Promise<boolean> {
    const challenges = await this.db.query(DELETE_CHALLENGES, [now, most]);
    const logins = await this.db.query(DELETE_LOGINS, [now, most]);
    return challenges.length === most || logins.length === most;
  }

  private async findAccount(tx: Tx, wallet: string): Promise<AccountId | null> {
    const [row] = await tx.query<{ id: AccountId }>('SELECT id FROM accounts WHERE wallet = $1', [
      wallet,
    ]);
    return row?.id ?? null;
  }
}

const ADD_CHALLENGE = `
WITH too_many AS (
  DELETE FROM login_challenges WHERE nonce IN (
    SELECT nonce FROM login_challenges WHERE wallet = $2 ORDER BY issued_at DESC, nonce OFFSET $6
  )
)
INSERT INTO login_challenges (nonce, wallet, message, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)`;

const TAKE_CHALLENGE = `
DELETE FROM login_challenges WHERE nonce = $1
RETURNING nonce, wallet, message, issued_at AS "issuedAt", expires_at AS "expiresAt"`;

const ADD_ACCOUNT = `
INSERT INTO accounts (id, wallet, created_at) VALUES ($1, $2, $3)
ON CONFLICT (wallet) DO NOTHING RETURNING id`;

const ADD_LOGIN = `
INSERT INTO login_tokens (token_hash, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`;

/** Two creations at once would both find room for the last key. */
const ONE_AT_A_TIME = `SELECT pg_advisory_xact_lock(hashtextextended('api_keys ' || $1::text, 0))`;

const ADD_KEY = `
INSERT INTO api_keys (id, account_id, name, key_hash, prefix, scopes, created_at, expires_at, budget_of)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, coalesce((SELECT owner FROM budgets WHERE owner = $11 LIMIT 1), $10)
WHERE (SELECT count(*) FROM api_keys WHERE account_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $7)) < $9
RETURNING id`;

const KEY_COLUMNS = `id, account_id AS "accountId", name, prefix, scopes, created_at AS "createdAt", expires_at AS "expiresAt",
  last_used_at AS "lastUsedAt", budget_of AS "budgetOf"`;

const LIST_KEYS = `
SELECT ${KEY_COLUMNS}
FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL AND id > $2 ORDER BY id LIMIT $3`;

const REVOKE_KEY = `
UPDATE api_keys SET revoked_at = $3 WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL
RETURNING key_hash AS hash`;

const KEY_HASH = `SELECT key_hash AS hash FROM api_keys WHERE id = $1 AND account_id = $2`;

const FIND_LOGIN = `
SELECT account_id AS "accountId", wallet, NULL AS "keyId", NULL AS "budgetKey", '{}'::text[] AS scopes, expires_at AS "expiresAt"
FROM login_tokens JOIN accounts ON accounts.id = account_id WHERE token_hash = $1`;

const FIND_KEY = `
SELECT account_id AS "accountId", wallet, api_keys.id AS "keyId", coalesce(budget_of, api_keys.id) AS "budgetKey", scopes, expires_at AS "expiresAt"
FROM api_keys JOIN accounts ON accounts.id = account_id WHERE key_hash = $1 AND revoked_at IS NULL`;

const NOTE_USES = `
UPDATE api_keys SET last_used_at = GREATEST(last_used_at, used.at)
FROM unnest($1::text[], $2::timestamptz[]) AS used (id, at) WHERE api_keys.id = used.id`;

const DELETE_CHALLENGES = `
DELETE FROM login_challenges WHERE nonce IN (
  SELECT nonce FROM login_challenges WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
) RETURNING nonce`;

const DELETE_LOGINS = `
DELETE FROM login_tokens WHERE token_hash IN (
  SELECT token_hash FROM login_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
) RETURNING token_hash`;
