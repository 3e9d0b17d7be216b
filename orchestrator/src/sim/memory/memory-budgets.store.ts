import { BudgetsStore } from '../../accounts/budgets.store.js';

/** Simulated submitters set no budgets, so nothing is ever counted. */
export class NoBudgets extends BudgetsStore {
  take = (): Promise<void> => Promise.resolve();
  free = (): Promise<void> => Promise.resolve();
  of = (): Promise<[]> => Promise.resolve([]);
  set = (): Promise<void> => Promise.resolve();
  ownerOfKey = (): Promise<null> => Promise.resolve(null);
}
