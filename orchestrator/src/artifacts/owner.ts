import type { AccountId, JobId, WorkerId } from '@tidemill/protocol';
import type { Caller } from '../platform/http/caller.js';

/** Who stores bytes and is charged for them. */
export type Keeper =
  | { readonly kind: 'account'; readonly id: AccountId }
  | { readonly kind: 'worker'; readonly id: WorkerId };

/** Who a right to read belongs to. A job's outputs are read by the account it belongs to. */
export type Grantee =
  Keeper | { readonly kind: 'job'; readonly id: JobId; readonly accountId: AccountId };

export const keeperOf = (caller: Caller): Keeper =>
  caller.kind === 'account'
    ? { kind: 'account', id: caller.accountId }
    : { kind: 'worker', id: caller.workerId };
