import { Injectable } from '@nestjs/common';
import {
  MAX_WEBHOOKS,
  type AccountId,
  type WebhookId,
  type WebhookView,
  type WebhookWithSecret,
} from '@tidemill/protocol';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { ProblemError } from '../platform/http/problem.js';
import { Ids } from '../platform/ids.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { EndpointsStore, type Endpoint } from './endpoints.store.js';
import { TargetRules } from './target-rules.js';
import { WebhookSecrets } from './webhook-secrets.js';

/** The secret before the newest signs beside it for so long: time to put the new one everywhere. */
const PREVIOUS_SECRET_MS = 24 * 3_600_000;

/** An account's endpoints. */
@Injectable()
export class EndpointsService {
  constructor(
    private readonly db: Db,
    private readonly store: EndpointsStore,
    private readonly rules: TargetRules,
    private readonly secrets: WebhookSecrets,
    private readonly trail: TrailWriter,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  /** @throws ProblemError WEBHOOK_URL_REFUSED, or CONFLICT when the account has too many */
  async create(
    accountId: AccountId,
    url: string,
    events: WebhookView['events'],
  ): Promise<WebhookWithSecret> {
    const endpoint: Endpoint = {
      id: this.ids.make('webhook'),
      accountId,
      url: this.rules.check(url).href,
      events: [...new Set(events)],
      version: 1,
      previousUntil: null,
      createdAt: new Date(this.clock.nowMs()),
      failingSince: null,
      disabledAt: null,
    };
    await this.db.transaction(async (tx) => {
      if (!(await this.store.add(tx, endpoint, MAX_WEBHOOKS)))
        throw new ProblemError('CONFLICT', `An account has at most ${MAX_WEBHOOKS} endpoints.`);
      await this.note(tx, 'webhook.created', endpoint.id, accountId);
    });
    return this.withSecret(endpoint);
  }

  /** @throws ProblemError CURSOR_INVALID */
  async list(
    accountId: AccountId,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<WebhookView>> {
    const after = positionOf('webhooks', cursor, /^whk_[0-9a-z]{26}$/);
    const found = await this.store.list(this.db, accountId, after?.[0] ?? null, limit + 1);
    return pageOf('webhooks', found.map(view), limit, ({ id }) => id);
  }

  /** @throws ProblemError NOT_FOUND */
  async one(accountId: AccountId, id: WebhookId): Promise<Endpoint> {
    return found(await this.store.one(this.db, accountId, id));
  }

  /** @throws ProblemError NOT_FOUND */
  async change(
    accountId: AccountId,
    id: WebhookId,
    events: WebhookView['events'] | undefined,
    enabled: boolean | undefined,
  ): Promise<WebhookView> {
    const disabledAt = enabled === true ? null : new Date(this.clock.nowMs());
    const change = { events, ...(enabled === undefined ? {} : { disabledAt }) };
    return view(
      found(await this.db.transaction((tx) => this.store.change(tx, accountId, id, change))),
    );
  }

  /** @throws ProblemError NOT_FOUND */
  async rotate(accountId: AccountId, id: WebhookId): Promise<WebhookWithSecret> {
    const until = new Date(this.clock.nowMs() + PREVIOUS_SECRET_MS);
    const endpoint = await this.db.transaction(async (tx) => {
      const rotated = found(await this.store.rotate(tx, accountId, id, until));
      await this.note(tx, 'webhook.rotated', id, accountId);
      return rotated;
    });
    return this.withSecret(endpoint);
  }

  /** @throws ProblemError NOT_FOUND */
  async remove(accountId: AccountId, id: WebhookId): Promise<void> {
    await this.db.transaction(async (tx) => {
      if (!(await this.store.remove(tx, accountId, id))) found(null);
      await this.note(tx, 'webhook.removed', id, accountId);
    });
  }

  /** The address stays out of the trail: it is public and for ever, and the address may hold a secret of its owner's. */
  private note(
    tx: Parameters<TrailWriter['append']>[0],
    kind: string,
    subject: WebhookId,
    accountId: AccountId,
  ): Promise<void> {
    return this.trail.append(tx, [{ kind, subject, body: { accountId } }]);
  }

  private withSecret(endpoint: Endpoint): WebhookWithSecret {
    return {
      ...view(endpoint),
      secret: this.secrets.text(endpoint),
      previousUntil: endpoint.previousUntil?.toISOString() ?? null,
    };
  }
}

function found(endpoint: Endpoint | null): Endpoint {
  if (endpoint === null) throw new ProblemError('NOT_FOUND', 'There is no such endpoint of yours.');
  return endpoint;
}

function view({ id, url, events, createdAt, failingSince, disabledAt }: Endpoint): WebhookView {
  return {
    id,
    url,
    events: [...events],
    enabled: disabledAt === null,
    createdAt: createdAt.toISOString(),
    failingSince: failingSince?.toISOString() ?? null,
    disabledAt: disabledAt?.toISOString() ?? null,
  };
}
