import type { Bucket, Entry } from '@tidemill/core/ledger';
import { LedgerBook, noBalances } from '../../accounts/ledger-book.store.js';
import type { Db, Tx } from '../../platform/db/db.js';
import { NONE, rowsOf, within } from './memory-db.js';

export class MemoryLedgerBook extends LedgerBook {
  constructor(private readonly db: Db) {
    super();
  }

  book(on: Tx, wanted: readonly Entry[]): Promise<readonly Entry[]> {
    const first = new Map<string, Entry>();
    for (const entry of wanted) {
      const name = this.nameOf(entry);
      if (entry.postings.length > 0 && !first.has(name)) first.set(name, entry);
    }
    if (first.size === 0) return Promise.resolve([]);
    return within(on, (tx) => {
      const { entries, accounts, pace } = tx.database;
      const fresh = () => [...first].filter(([name]) => tx.get(entries, name) === undefined);
      function* locks() {
        yield* rowsOf('ledger_entries', first.keys());
        const legs = fresh().flatMap(([, { postings }]) => postings);
        yield* rowsOf('ledger_accounts', legs.map(({ owner, bucket }) => `${owner}:${bucket}`)); // prettier-ignore
      }
      return tx.statement('book', locks, () => {
        const booked = fresh();
        const moved = new Map<string, { owner: string; bucket: Bucket; amount: bigint }>();
        for (const [name, { kind, ref, postings }] of booked) {
          tx.insert(entries, name, { kind, ref, postings, atMs: pace.nowMs() });
          for (const { owner, bucket, amount } of postings) {
            const account = `${owner}:${bucket}`;
            const sum = (moved.get(account)?.amount ?? 0n) + amount;
            moved.set(account, { owner, bucket, amount: sum });
          }
        }
        for (const [account, { owner, bucket, amount }] of moved) {
          const balance = (tx.get(accounts, account)?.balance ?? 0n) + amount;
          tx.put(accounts, account, { owner, bucket, balance });
        }
        return booked.map(([, entry]) => entry);
      });
    });
  }

  balances(owner: string, on: Tx = this.db): Promise<Record<Bucket, bigint>> {
    return within(on, (tx) =>
      tx.statement('balances', NONE, () => {
        const balances = noBalances();
        for (const account of tx.all(tx.database.accounts))
          if (account.owner === owner) balances[account.bucket] = account.balance;
        return balances;
      }),
    );
  }

  /** What happens once. */
  protected nameOf({ kind, ref }: Entry): string {
    return `${ref} ${kind}`;
  }
}
