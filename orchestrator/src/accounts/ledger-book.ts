import { Injectable } from '@nestjs/common';
import type { Bucket, Entry } from '@tidemill/core/ledger';
import { Db, type Tx } from '../platform/db/db.js';

/** Account numbers kept in memory; they never change. */
const MAX_KEPT = 100_000;

/** Writes ledger entries. PostgreSQL itself refuses an entry that does not sum to zero, and a balance below zero. */
@Injectable()
export class LedgerBook {
  private readonly accounts = new Map<string, bigint>();

  constructor(private readonly db: Db) {}

  /**
   * Books entries inside the caller's transaction, each once for its kind and ref; what was booked before stays as it was.
   * Gives the entries that are new. @throws the database's check violation `balance_not_negative` when money is missing
   */
  async book(tx: Tx, entries: readonly Entry[]): Promise<readonly Entry[]> {
    if (entries.length === 0) return [];
    await this.learn(entries.flatMap(({ postings }) => postings));
    const legs = entries.flatMap(({ postings }, i) => postings.map((posting) => ({ ...posting, i })));
    const booked = await tx.query<{ i: number }>(BOOK, [
      entries.map(({ kind }) => kind),
      entries.map(({ ref }) => ref),
      legs.map(({ i }) => i),
      legs.map(({ owner, bucket }) => this.accounts.get(`${owner}:${bucket}`)),
      legs.map(({ amount }) => amount),
    ]);
    return booked.flatMap(({ i }) => entries[i] ?? []);
  }

  /** Balances of an owner's buckets, in base units; a bucket that was never used is 0. */
  async balances(owner: string, on: Tx = this.db): Promise<Record<Bucket, bigint>> {
    const rows = await on.query<{ bucket: Bucket; balance: bigint }>(
      'SELECT bucket, balance FROM ledger_accounts WHERE owner = $1',
      [owner],
    );
    const balances: Record<Bucket, bigint> = { available: 0n, held: 0n, pending: 0n, earned: 0n, fees: 0n, grants: 0n };
    for (const { bucket, balance } of rows) balances[bucket] = balance;
    return balances;
  }

  /** Opens the accounts that are not known yet, outside the caller's transaction, so that what is remembered is committed. */
  private async learn(postings: readonly { owner: string; bucket: Bucket }[]): Promise<void> {
    const unknown = new Map(postings.map((posting) => [`${posting.owner}:${posting.bucket}`, posting]));
    for (const name of unknown.keys()) if (this.accounts.has(name)) unknown.delete(name);
    if (unknown.size === 0) return;
    const owners = [...unknown.values()].map(({ owner }) => owner);
    const buckets = [...unknown.values()].map(({ bucket }) => bucket);
    await this.db.query(
      'INSERT INTO ledger_accounts (owner, bucket) SELECT * FROM unnest($1::text[], $2::text[]) ORDER BY 1, 2 ON CONFLICT DO NOTHING',
      [owners, buckets],
    );
    const rows = await this.db.query<{ id: bigint; owner: string; bucket: string }>(
      'SELECT id, owner, bucket FROM ledger_accounts WHERE (owner, bucket) IN (SELECT * FROM unnest($1::text[], $2::text[]))',
      [owners, buckets],
    );
    if (this.accounts.size > MAX_KEPT) this.accounts.clear();
    for (const { id, owner, bucket } of rows) this.accounts.set(`${owner}:${bucket}`, id);
  }
}

const BOOK = `
WITH wanted AS (
  SELECT kind, ref, (i - 1)::int AS i FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (kind, ref, i)
), made AS (
  INSERT INTO ledger_entries (kind, ref) SELECT kind, ref FROM wanted ON CONFLICT DO NOTHING RETURNING id, kind, ref
), fresh AS (
  SELECT made.id, wanted.i FROM made JOIN wanted USING (kind, ref)
), posted AS (
  INSERT INTO ledger_postings (entry_id, account_id, amount)
  SELECT fresh.id, leg.account_id, leg.amount
  FROM unnest($3::int[], $4::bigint[], $5::bigint[]) AS leg (i, account_id, amount) JOIN fresh USING (i)
)
SELECT i FROM fresh`;
