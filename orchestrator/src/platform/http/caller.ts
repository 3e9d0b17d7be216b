import type { AccountId, KeyId, Scope, WorkerId } from '@tidemill/protocol';
import { ProblemError } from './problem.js';

/** Who is asking: a submitter by key or login, or a worker by its session. */
export type Caller =
  | {
      readonly kind: 'account';
      readonly accountId: AccountId;
      readonly wallet: string;
      readonly scopes: ReadonlySet<Scope>;
      /** Whose budget its key spends, which is mostly its own; null for a login. */
      readonly budgetKey: KeyId | null;
    }
  | { readonly kind: 'worker'; readonly workerId: WorkerId };

/** Says who a bearer token belongs to, or null. One per kind of token, told apart by the token's first letters. */
export type Authenticator = (token: string) => Promise<Caller | null> | Caller | null;

/** Every stage that gives out tokens registers here; the guard asks by prefix. */
export class Authenticators {
  private readonly byPrefix = new Map<string, Authenticator>();

  /** `prefix` ends in an underscore, such as `tmk_`. */
  add(prefix: string, authenticator: Authenticator): void {
    this.byPrefix.set(prefix, authenticator);
  }

  async identify(token: string): Promise<Caller | null> {
    const authenticator = this.byPrefix.get(token.slice(0, token.indexOf('_') + 1));
    return authenticator === undefined ? null : await authenticator(token);
  }
}

/** The account behind a caller of an operation that only accounts reach. */
export function accountOf(caller: Caller): Extract<Caller, { kind: 'account' }> {
  if (caller.kind !== 'account') throw new ProblemError('FORBIDDEN', 'This is for submitters.');
  return caller;
}
