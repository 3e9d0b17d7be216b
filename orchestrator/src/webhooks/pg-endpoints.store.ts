import { Injectable } from '@nestjs/common';
import type { AccountId, WebhookId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import { EndpointsStore, type Endpoint } from './endpoints.store.js';

@Injectable()
export class PgEndpointsStore extends EndpointsStore {
  async add(tx: Tx, endpoint: Endpoint, most: number): Promise<boolean> {
    const { id, accountId, url, events, createdAt } = endpoint;
    await tx.query(ONE_AT_A_TIME, [accountId]);
    return (await tx.query(ADD, [id, accountId, url, events, createdAt, most])).length > 0;
  }

  async one(tx: Tx, accountId: AccountId, id: WebhookId): Promise<Endpoint | null> {
    const [row] = await tx.query<Endpoint>(
      `SELECT ${COLUMNS} FROM webhook_endpoints WHERE id = $1 AND account_id = $2`,
      [id, accountId],
    );
    return row ?? null;
  }

  async list(
    tx: Tx,
    accountId: AccountId,
    after: string | null,
    limit: number,
  ): Promise<Endpoint[]> {
    return tx.query<Endpoint>(
      `SELECT ${COLUMNS} FROM webhook_endpoints WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
      [accountId, after ?? '', limit],
    );
  }

  async change(
    tx: Tx,
    accountId: AccountId,
    id: WebhookId,
    {
      events,
      disabledAt,
    }: { readonly events?: readonly string[]; readonly disabledAt?: Date | null },
  ): Promise<Endpoint | null> {
    const [row] = await tx.query<Endpoint>(CHANGE, [
      id,
      accountId,
      events ?? null,
      disabledAt !== undefined,
      disabledAt ?? null,
    ]);
    if (row !== undefined && row.disabledAt !== null) await tx.query(FAIL_PENDING, [id]);
    return row ?? null;
  }

  async rotate(
    tx: Tx,
    accountId: AccountId,
    id: WebhookId,
    previousUntil: Date,
  ): Promise<Endpoint | null> {
    const [row] = await tx.query<Endpoint>(
      `UPDATE webhook_endpoints SET secret_version = secret_version + 1, previous_until = $3
       WHERE id = $1 AND account_id = $2 RETURNING ${COLUMNS}`,
      [id, accountId, previousUntil],
    );
    return row ?? null;
  }

  async remove(tx: Tx, accountId: AccountId, id: WebhookId): Promise<boolean> {
    const gone = await tx.query(
      'DELETE FROM webhook_endpoints WHERE id = $1 AND account_id = $2 RETURNING 1',
      [id, accountId],
    );
    return gone.length > 0;
  }
}

const COLUMNS = `id, account_id AS "accountId", url, events, secret_version AS version, previous_until AS "previousUntil",
  created_at AS "createdAt", failing_since AS "failingSince", disabled_at AS "disabledAt"`;

/** Two creations at once would both find room for the last one. */
const ONE_AT_A_TIME = `SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || $1::text, 0))`;

const ADD = `
INSERT INTO webhook_endpoints (id, account_id, url, events, created_at) SELECT $1, $2, $3, $4, $5
WHERE (SELECT count(*) FROM webhook_endpoints WHERE account_id = $2) < $6 RETURNING 1`;

const CHANGE = `
UPDATE webhook_endpoints SET events = coalesce($3, events),
  disabled_at = CASE WHEN NOT $4 THEN disabled_at WHEN $5::timestamptz IS NULL THEN NULL ELSE coalesce(disabled_at, $5) END,
  failing_since = CASE WHEN $4 AND $5::timestamptz IS NULL THEN NULL ELSE failing_since END
WHERE id = $1 AND account_id = $2 RETURNING ${COLUMNS}`;

const FAIL_PENDING = `
UPDATE webhook_deliveries SET state = 'failed', finished_at = clock_timestamp() WHERE endpoint_id = $1 AND state = 'pending'`;
