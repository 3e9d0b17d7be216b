import { Injectable } from '@nestjs/common';
import type { WebhookDeliveryView, WebhookId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';
import { DeliveriesStore, type Claimed, type Try } from './deliveries.store.js';

@Injectable()
export class PgDeliveriesStore extends DeliveriesStore {
  claim(
    tx: Tx,
    limit: number,
    each: number,
    busy: ReadonlyMap<WebhookId, number>,
    claimMs: number,
  ): Promise<Claimed[]> {
    return tx.query<Claimed>(CLAIM, [limit, each, [...busy.keys()], [...busy.values()], claimMs]);
  }

  async add(
    tx: Tx,
    endpointId: WebhookId,
    type: string,
    data: string,
    claimMs: number,
  ): Promise<Claimed> {
    const [row] = await tx.query<Claimed>(ADD, [endpointId, type, data, claimMs]);
    if (row === undefined) throw new Error('an insertion gives a row');
    return row;
  }

  async finish(tx: Tx, tried: Try, giveUpMs: number): Promise<void> {
    const { delivery, at, ms, status, error, waitMs } = tried;
    const ok = error === null;
    await tx.query(TRIED, [delivery.id, delivery.tries + 1, at, Math.round(ms), status, error]);
    await tx.query(FINISH, [delivery.id, delivery.tries + 1, ok, waitMs]);
    if (ok) await tx.query(WELL_AGAIN, [delivery.endpointId]);
    else {
      await tx.query(FAILING, [delivery.endpointId, giveUpMs]);
      await tx.query(FAIL_ALL, [delivery.endpointId]);
    }
  }

  async replay(tx: Tx, endpointId: WebhookId, id: string): Promise<boolean> {
    return (await tx.query(REPLAY, [endpointId, id])).length > 0;
  }

  async list(
    tx: Tx,
    endpointId: WebhookId,
    filter: {
      readonly id?: string;
      readonly state?: WebhookDeliveryView['state'] | undefined;
      readonly before?: string | undefined;
      readonly limit: number;
    },
  ): Promise<WebhookDeliveryView[]> {
    const rows = await tx.query<ListRow>(LIST, [
      endpointId,
      filter.before ?? null,
      filter.state ?? null,
      filter.id ?? null,
      filter.limit,
    ]);
    return rows.map(({ id, event_id, type, at, state, next_at, log }) => ({
      id: String(id),
      event: event_id,
      type,
      at: at.toISOString(),
      state,
      nextTryAt: state === 'pending' ? next_at.toISOString() : null,
      tries: log.map((one) => ({ ...one, at: new Date(one.at).toISOString() })),
    }));
  }

  async forget(tx: Tx, olderThanMs: number, limit: number): Promise<boolean> {
    return (await tx.query(FORGET, [olderThanMs, limit])).length === limit;
  }
}

interface ListRow {
  readonly id: bigint;
  readonly event_id: string;
  readonly type: string;
  readonly at: Date;
  readonly state: WebhookDeliveryView['state'];
  readonly next_at: Date;
  readonly log: WebhookDeliveryView['tries'];
}

const CLAIMED = `delivery.id, delivery.endpoint_id AS "endpointId", endpoint.url, endpoint.secret_version AS version,
  endpoint.previous_until AS "previousUntil", delivery.event_id AS "eventId", delivery.type, delivery.data, delivery.at, delivery.tries`;

/** The oldest due first; one endpoint that is slow does not keep the others' deliveries from their turn. */
const CLAIM = `
WITH busy AS (
  SELECT * FROM unnest($3::text[], $4::int[]) AS busy (endpoint_id, count)
), due AS (
  SELECT id, endpoint_id, next_at FROM webhook_deliveries
  WHERE state = 'pending' AND next_at <= clock_timestamp()
    AND endpoint_id NOT IN (SELECT endpoint_id FROM busy WHERE count >= $2)
  ORDER BY next_at LIMIT 20 * $1 FOR UPDATE SKIP LOCKED
), ranked AS (
  SELECT id, next_at, row_number() OVER (PARTITION BY due.endpoint_id ORDER BY next_at, id) + coalesce(busy.count, 0) AS place
  FROM due LEFT JOIN busy USING (endpoint_id)
), chosen AS (
  SELECT id FROM ranked WHERE place <= $2 ORDER BY next_at, id LIMIT $1
)
UPDATE webhook_deliveries AS delivery SET next_at = clock_timestamp() + $5 * interval '1 millisecond'
FROM chosen, webhook_endpoints AS endpoint
WHERE delivery.id = chosen.id AND endpoint.id = delivery.endpoint_id
RETURNING ${CLAIMED}`;

const ADD = `
WITH delivery AS (
  INSERT INTO webhook_deliveries (endpoint_id, event_id, type, data, give_up_at, next_at)
  VALUES ($1, 'evt_' || replace(gen_random_uuid()::text, '-', ''), $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 millisecond') RETURNING *
)
SELECT ${CLAIMED} FROM delivery JOIN webhook_endpoints AS endpoint ON endpoint.id = delivery.endpoint_id`;

const TRIED = `
INSERT INTO webhook_tries (delivery_id, number, at, ms, status, error)
SELECT id, $2, $3, $4, $5, $6 FROM webhook_deliveries WHERE id = $1 ON CONFLICT DO NOTHING`;

const FINISH = `
UPDATE webhook_deliveries SET tries = $2,
  state = CASE WHEN $3 THEN 'delivered' WHEN clock_timestamp() + $4 * interval '1 millisecond' > give_up_at THEN 'failed' ELSE 'pending' END,
  next_at = clock_timestamp() + $4 * interval '1 millisecond',
  finished_at = CASE WHEN $3 OR clock_timestamp() + $4 * interval '1 millisecond' > give_up_at THEN clock_timestamp() END
WHERE id = $1 AND state = 'pending'`;

const WELL_AGAIN = `
UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL`;

/** Notes the first failure, and gives the endpoint up at the first one that is late enough. */
const FAILING = `
UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, clock_timestamp()),
  disabled_at = CASE WHEN failing_since < clock_timestamp() - $2 * interval '1 millisecond' THEN coalesce(disabled_at, clock_timestamp()) ELSE disabled_at END
WHERE id = $1 AND (failing_since IS NULL OR (disabled_at IS NULL AND failing_since < clock_timestamp() - $2 * interval '1 millisecond'))`;

const FAIL_ALL = `
UPDATE webhook_deliveries SET state = 'failed', finished_at = clock_timestamp()
FROM webhook_endpoints AS endpoint
WHERE endpoint.id = $1 AND endpoint.disabled_at IS NOT NULL AND endpoint_id = endpoint.id AND state = 'pending'`;

const REPLAY = `
UPDATE webhook_deliveries SET state = 'pending', next_at = clock_timestamp(), give_up_at = clock_timestamp() + interval '24 hours', finished_at = NULL
WHERE endpoint_id = $1 AND id = $2 RETURNING 1`;

const LIST = `
SELECT delivery.id, delivery.event_id, delivery.type, delivery.at, delivery.state, delivery.next_at,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('number', number, 'at', tried.at, 'ms', ms, 'status', status, 'error', error) ORDER BY number), '[]')
   FROM webhook_tries AS tried WHERE tried.delivery_id = delivery.id) AS log
FROM webhook_deliveries AS delivery
WHERE delivery.endpoint_id = $1 AND ($2::bigint IS NULL OR delivery.id < $2) AND ($3::text IS NULL OR delivery.state = $3)
  AND ($4::bigint IS NULL OR delivery.id = $4)
ORDER BY delivery.id DESC LIMIT $5`;

const FORGET = `
DELETE FROM webhook_deliveries WHERE id IN (
  SELECT id FROM webhook_deliveries WHERE finished_at < clock_timestamp() - $1 * interval '1 millisecond' AND state <> 'pending' ORDER BY finished_at LIMIT $2
) RETURNING 1`;
