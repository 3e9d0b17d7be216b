import type { AccountId, BudgetPeriod, ExceededBudget, JobId, KeyId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

/** A hold that is about to be taken, and who spends it: the account, and the key it came with. */
export interface Spending {
  readonly jobId: JobId;
  readonly accountId: AccountId;
  readonly budgetKey: KeyId | null;
  readonly hold: bigint;
}

/** What of a job's hold came back: all that was not charged, once nothing more will be. */
export interface Freed {
  readonly jobId: JobId;
  readonly amount: bigint;
}

/** A limit and how far it is used, in base units; `renewsAt` is null for a total. */
export interface BudgetState {
  readonly period: BudgetPeriod;
  readonly limit: bigint;
  readonly used: bigint;
  readonly renewsAt: Date | null;
}

/** Thrown inside the transaction that would have spent too much, so that nothing of it stays. */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError';

  constructor(readonly budget: ExceededBudget) {
    super(`the ${budget.period} budget of the ${budget.of} is exceeded`);
  }
}

/**
 * Where budgets are kept. Every method joins the caller's transaction, and comes after its bookings: balances are locked before
 * budgets everywhere, or two transactions wait for each other.
 */
export abstract class BudgetsStore {
  /** Counts holds against the budgets of their accounts and keys. @throws BudgetExceededError when one does not suffice */
  abstract take(tx: Tx, spendings: readonly Spending[]): Promise<void>;

  /** Gives back what jobs did not use, to the periods that they were accepted in; each job once. */
  abstract free(tx: Tx, freed: readonly Freed[]): Promise<void>;

  /** Limits of an account or of a key. */
  abstract of(tx: Tx, owner: AccountId | KeyId): Promise<readonly BudgetState[]>;

  /**
   * Sets limits, or ends those that are null. A new one counts what was accepted since its period began, but a total begins now.
   */
  abstract set(
    tx: Tx,
    accountId: AccountId,
    owner: AccountId | KeyId,
    limits: ReadonlyMap<BudgetPeriod, bigint | null>,
  ): Promise<void>;

  /** Whose budget a key of the account spends, or null when there is no such key. */
  abstract ownerOfKey(tx: Tx, accountId: AccountId, id: KeyId): Promise<KeyId | null>;
}
