import type { AccountId, WebhookId, WebhookView } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

/** An endpoint as it is kept. */
export interface Endpoint {
  readonly id: WebhookId;
  readonly accountId: AccountId;
  readonly url: string;
  readonly events: WebhookView['events'];
  readonly version: number;
  readonly previousUntil: Date | null;
  readonly createdAt: Date;
  readonly failingSince: Date | null;
  readonly disabledAt: Date | null;
}

/** Where endpoints are kept. Every method joins the caller's transaction and sees only the account's own. */
export abstract class EndpointsStore {
  /** Stores an endpoint unless the account has `most`; says which. Those of one account are counted one at a time. */
  abstract add(tx: Tx, endpoint: Endpoint, most: number): Promise<boolean>;
  abstract one(tx: Tx, accountId: AccountId, id: WebhookId): Promise<Endpoint | null>;
  /** Oldest first, after an id. */
  abstract list(
    tx: Tx,
    accountId: AccountId,
    after: string | null,
    limit: number,
  ): Promise<Endpoint[]>;
  /** Changes what is given. Paused at `disabledAt`, its pending deliveries fail; taken up again, it starts without a past. */
  abstract change(
    tx: Tx,
    accountId: AccountId,
    id: WebhookId,
    change: { readonly events?: readonly string[] | undefined; readonly disabledAt?: Date | null },
  ): Promise<Endpoint | null>;
  /** The next version; the one before is good until `previousUntil`. */
  abstract rotate(
    tx: Tx,
    accountId: AccountId,
    id: WebhookId,
    previousUntil: Date,
  ): Promise<Endpoint | null>;
  abstract remove(tx: Tx, accountId: AccountId, id: WebhookId): Promise<boolean>;
}
