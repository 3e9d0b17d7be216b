import {
  type Ending,
  type PurposeHistory,
  type SignedTransaction,
  TransactionsStore,
} from '../transactions.store.js';

type Kept = SignedTransaction & { state: 'signed' | Ending };

/** For schedules of which thousands run; the contract holds it to the same as PostgreSQL's. */
export class MemoryTransactionsStore extends TransactionsStore {
  readonly kept: Kept[] = [];

  add(transaction: SignedTransaction): Promise<boolean> {
    const taken = this.kept.some(
      ({ purpose, state, signature }) =>
        signature === transaction.signature ||
        (purpose === transaction.purpose && (state === 'signed' || state === 'done')),
    );
    if (!taken) this.kept.push({ ...transaction, state: 'signed' });
    return Promise.resolve(
      !taken ||
        this.kept.some(
          ({ signature, state }) => signature === transaction.signature && state === 'signed',
        ),
    );
  }

  live(limit: number): Promise<SignedTransaction[]> {
    return Promise.resolve(this.kept.filter(({ state }) => state === 'signed').slice(0, limit));
  }

  end(signature: string, ending: Ending): Promise<boolean> {
    const found = this.kept.find((one) => one.signature === signature && one.state === 'signed');
    if (found !== undefined) found.state = ending;
    return Promise.resolve(found !== undefined);
  }

  history(purpose: string): Promise<PurposeHistory> {
    const of = this.kept.filter((one) => one.purpose === purpose);
    const count = (state: Kept['state']) => of.filter((one) => one.state === state).length;
    return Promise.resolve({
      isLive: count('signed') > 0,
      isDone: count('done') > 0,
      failed: count('failed'),
      expired: count('expired'),
    });
  }
}
