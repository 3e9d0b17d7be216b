import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SCOPES, type KeyId, type Scope } from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Clock } from '../platform/clock.js';
import { Authenticators, type Caller } from '../platform/http/caller.js';
import { Wakeups } from '../platform/wakeups.js';
import { IdentityStore, type TokenOwner } from './identity.store.js';
import { API_KEY_PREFIX, isTokenForm, LOGIN_TOKEN_PREFIX, tokenHash } from './secrets.js';

/** How long an answer of the database is used again; a revoked key works no longer than this elsewhere, were its wake-up lost. */
export const REMEMBERED_MS = 3_000;
/** Most tokens remembered at once. */
const MAX_REMEMBERED = 10_000;

const SUBMITTER_SCOPES: readonly Scope[] = SCOPES.filter((scope) => scope !== 'admin');

interface Remembered {
  readonly untilMs: number;
  readonly owner: Promise<TokenOwner | null>;
}

/** Says whose a login token or API key is; asks the database at most once in a few seconds for each. */
@Injectable()
export class TokenAuthenticator implements OnModuleInit {
  private readonly remembered = new Map<string, Remembered>();
  private uses = new Map<KeyId, Date>();

  constructor(
    private readonly store: IdentityStore,
    private readonly authenticators: Authenticators,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly wakeups: Wakeups,
  ) {}

  onModuleInit(): void {
    this.wakeups.on('keys', () => this.remembered.clear());
    for (const prefix of [LOGIN_TOKEN_PREFIX, API_KEY_PREFIX]) {
      this.authenticators.add(prefix, (token) => this.identify(token));
    }
  }

  async identify(token: string): Promise<Caller | null> {
    if (!isTokenForm(token)) return null;
    const owner = await this.owner(token);
    const now = new Date(this.clock.nowMs());
    if (owner === null || (owner.expiresAt !== null && owner.expiresAt <= now)) return null;
    if (owner.keyId !== null) this.uses.set(owner.keyId, now);
    const { accountId, wallet, budgetKey } = owner;
    return { kind: 'account', accountId, wallet, budgetKey, scopes: this.scopesOf(owner) };
  }

  /** Asks the database again for the token with this hash, after it was revoked here. */
  forget(hash: Buffer): void {
    this.remembered.delete(hash.toString('base64'));
  }

  /** Hands over when keys were used since the last call, so that a request costs no write. */
  takeUses(): ReadonlyMap<KeyId, Date> {
    const uses = this.uses;
    this.uses = new Map();
    return uses;
  }

  /** Whoever is taken off the list of admins loses the scope at the next restart, whatever their keys say. */
  private scopesOf({ keyId, scopes, wallet }: TokenOwner): ReadonlySet<Scope> {
    const isAdmin = this.config.adminWallets.includes(wallet);
    if (keyId === null) return new Set(isAdmin ? SCOPES : SUBMITTER_SCOPES);
    return new Set(isAdmin ? scopes : scopes.filter((scope) => scope !== 'admin'));
  }

  private owner(token: string): Promise<TokenOwner | null> {
    const hash = tokenHash(token);
    const name = hash.toString('base64');
    const nowMs = this.clock.monotonicMs();
    const known = this.remembered.get(name);
    if (known !== undefined && known.untilMs > nowMs) return known.owner;
    const owner = token.startsWith(API_KEY_PREFIX)
      ? this.store.findKey(hash)
      : this.store.findLogin(hash);
    this.remember(name, { untilMs: nowMs + REMEMBERED_MS, owner });
    return owner;
  }

  /** An unknown token is asked for every time: it may be a key that another replica makes this moment. */
  private remember(name: string, entry: Remembered): void {
    this.remembered.delete(name);
    if (this.remembered.size >= MAX_REMEMBERED)
      this.remembered.delete(this.remembered.keys().next().value ?? '');
    this.remembered.set(name, entry);
    const drop = (): void => {
      if (this.remembered.get(name) === entry) this.remembered.delete(name);
    };
    entry.owner.then((owner) => {
      if (owner === null) drop();
    }, drop);
  }
}
