import type { WebhookDeliveryView, WebhookId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

/** A delivery that is this process's to send until its claim ends. */
export interface Claimed {
  readonly id: bigint;
  readonly endpointId: WebhookId;
  readonly url: string;
  readonly version: number;
  readonly previousUntil: Date | null;
  readonly eventId: string;
  readonly type: string;
  readonly data: string;
  readonly at: Date;
  /** Tries before this one. */
  readonly tries: number;
}

export interface Try {
  readonly delivery: Claimed;
  readonly at: Date;
  readonly ms: number;
  readonly status: number | null;
  readonly error: string | null;
  /** When to try again after a failure, unless it is too old by then. */
  readonly waitMs: number;
}

/** The outbox and what became of it. Every method joins the caller's transaction. */
export abstract class DeliveriesStore {
  /** Due deliveries, at most `limit` in all and `each` of one endpoint beyond those in `busy`; nobody else gets them for `claimMs`. */
  abstract claim(
    tx: Tx,
    limit: number,
    each: number,
    busy: ReadonlyMap<WebhookId, number>,
    claimMs: number,
  ): Promise<Claimed[]>;

  /** A delivery for one endpoint that no event made, claimed by the caller and tried this once. */
  abstract add(
    tx: Tx,
    endpointId: WebhookId,
    type: string,
    data: string,
    claimMs: number,
  ): Promise<Claimed>;

  /** Writes a try down: delivered, to be tried again, or given up. An endpoint that failed for `giveUpMs` on end is disabled. */
  abstract finish(tx: Tx, tried: Try, giveUpMs: number): Promise<void>;

  /** Makes a delivery due now, for another day. False when there is none. */
  abstract replay(tx: Tx, endpointId: WebhookId, id: string): Promise<boolean>;

  /** Newest first, before an id. */
  abstract list(
    tx: Tx,
    endpointId: WebhookId,
    filter: {
      readonly id?: string;
      readonly state?: WebhookDeliveryView['state'] | undefined;
      readonly before?: string | undefined;
      readonly limit: number;
    },
  ): Promise<WebhookDeliveryView[]>;

  /** Deletes deliveries that were done with so long ago and are not tried any more, at most `limit`; says whether more may be left. */
  abstract forget(tx: Tx, olderThanMs: number, limit: number): Promise<boolean>;
}
