import { Injectable } from '@nestjs/common';
import type { Bucket, Entry, Posting } from '@tidemill/core/ledger';
import { Db, type Tx } from '../platform/db/db.js';
import { LedgerBook, noBalances } from './ledger-book.store.js';

/** Account numbers kept in memory; they never change. */
const MAX_KEPT = 100_000;

/** Writes ledger entries. PostgreSQL itself refuses an entry that does not sum to zero, and a balance below zero. */
@Injectable()
export class PgLedgerBook extends LedgerBook {
  private readonly accounts = new Map<string, bigint>();

  constructor(private readonly db: Db) {
    super();
  }

  async book(tx: Tx, wanted: readonly Entry[]): Promise<readonly Entry[]> {
    const entries = wanted.filter(({ postings }) => postings.length > 0);
    if (entries.length === 0) return [];
    const accounts = await this.accountsOf(
      tx,
      entries.flatMap(({ postings }) => postings),
    );
    const moved: string[] = [];
    const legs = { entry: [] as number[], account: [] as bigint[], amount: [] as bigint[] };
    for (const [i, { postings }] of entries.entries()) {
      const ids = postings.map(({ owner, bucket }) => accounts.get(nameOf(owner, bucket)) ?? 0n);
      moved.push(`{${ids.join(',')}}`);
      for (const [leg, { amount }] of postings.entries()) {
        legs.entry.push(i);
        legs.account.push(ids[leg] ?? 0n);
        legs.amount.push(amount);
      }
    }
    const booked = await tx.query<{ i: number }>(BOOK, [
      entries.map(({ kind }) => kind),
      entries.map(({ ref }) => ref),
      moved,
      legs.entry,
      legs.account,
      legs.amount,
    ]);
    return booked.flatMap(({ i }) => entries[i] ?? []);
  }

  async balances(owner: string, on: Tx = this.db): Promise<Record<Bucket, bigint>> {
    const rows = await on.query<{ bucket: Bucket; balance: bigint }>(
      'SELECT bucket, balance FROM ledger_accounts WHERE owner = $1',
      [owner],
    );
    const balances = noBalances();
    for (const { bucket, balance } of rows) balances[bucket] = balance;
    return balances;
  }

  /**
   * Numbers of the accounts, opening those that do not exist. It stays on the caller's connection: a transaction that waited for
   * a second one would wait for ever once all of them are held by such transactions.
   */
  private async accountsOf(
    tx: Tx,
    postings: readonly Pick<Posting, 'owner' | 'bucket'>[],
  ): Promise<ReadonlyMap<string, bigint>> {
    const wanted = new Map(
      postings.map((posting) => [nameOf(posting.owner, posting.bucket), posting]),
    );
    const found = new Map<string, bigint>();
    for (const name of wanted.keys()) {
      const id = this.accounts.get(name);
      if (id !== undefined) found.set(name, id);
    }
    for (const query of [FIND, OPEN, FIND]) {
      const missing = [...wanted].flatMap(([name, posting]) => (found.has(name) ? [] : [posting]));
      if (missing.length === 0) break;
      const rows = await tx.query<AccountRow>(query, [
        missing.map(({ owner }) => owner),
        missing.map(({ bucket }) => bucket),
      ]);
      for (const row of rows) this.note(row, found);
    }
    return found;
  }

  private note({ id, owner, bucket, settled }: AccountRow, found: Map<string, bigint>): void {
    const name = nameOf(owner, bucket);
    found.set(name, id);
    if (!settled) return; // opened by this transaction, which may still be rolled back
    if (this.accounts.size > MAX_KEPT) this.accounts.clear();
    this.accounts.set(name, id);
  }
}

interface AccountRow {
  readonly id: bigint;
  readonly owner: string;
  readonly bucket: string;
  readonly settled: boolean;
}

const nameOf = (owner: string, bucket: string): string => `${owner}:${bucket}`;

const FIND = `
SELECT id, owner, bucket, xmin <> pg_current_xact_id()::xid AS settled
FROM ledger_accounts WHERE (owner, bucket) IN (SELECT * FROM unnest($1::text[], $2::text[]))`;

/** What another transaction opens at this moment is waited for, and found afterwards. */
const OPEN = `
INSERT INTO ledger_accounts (owner, bucket) SELECT * FROM unnest($1::text[], $2::text[]) ORDER BY 1, 2 ON CONFLICT DO NOTHING
RETURNING id, owner, bucket, false AS settled`;

/** In order of ref, or two calls that book the same entries wait for each other's; one that is wanted twice counts once. */
const BOOK = `
WITH wanted AS (
  SELECT DISTINCT ON (ref, kind) kind, ref, accounts::bigint[] AS accounts, (i - 1)::int AS i
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS t (kind, ref, accounts, i) ORDER BY ref, kind, i
), made AS (
  INSERT INTO ledger_entries (kind, ref, accounts) SELECT kind, ref, accounts FROM wanted ORDER BY ref, kind
  ON CONFLICT (ref, kind) DO NOTHING RETURNING id, kind, ref
), fresh AS (
  SELECT made.id, wanted.i FROM made JOIN wanted USING (kind, ref)
), posted AS (
  INSERT INTO ledger_postings (entry_id, account_id, amount)
  SELECT fresh.id, leg.account_id, leg.amount
  FROM unnest($4::int[], $5::bigint[], $6::bigint[]) AS leg (i, account_id, amount) JOIN fresh USING (i)
)
SELECT i FROM fresh`;
