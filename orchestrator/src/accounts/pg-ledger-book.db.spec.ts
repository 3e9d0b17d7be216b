import {
  charge,
  earn,
  grant,
  hold,
  NETWORK,
  release,
  type Entry,
  type Posting,
} from '@tidemill/core/ledger';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Tx } from '../platform/db/db.js';
import { PgDb } from '../platform/db/pg-db.js';
import { trailDatabase, type TrailDatabase } from '../trail/testing/trail-database.js';
import { PgLedgerBook } from './pg-ledger-book.store.js';

let database: TrailDatabase;
let book: PgLedgerBook;
beforeEach(async () => {
  database = await trailDatabase();
  book = new PgLedgerBook(database.app);
});
afterEach(() => database.drop());

const booked = (...entries: Entry[]) => database.app.transaction((tx) => book.book(tx, entries));
const entryCount = async () =>
  (
    await database.app.query<{ count: number }>('SELECT count(*)::int AS count FROM ledger_entries')
  )[0]?.count;

/** What the postings of every account add up to, and its balance; both in base units. */
const sums = () =>
  database.superuser.query<{ owner: string; bucket: string; balance: bigint; posted: bigint }>(
    `SELECT account.owner, account.bucket, account.balance, coalesce(sum(posting.amount), 0)::bigint AS posted
     FROM ledger_accounts AS account LEFT JOIN ledger_postings AS posting ON posting.account_id = account.id
     GROUP BY account.id ORDER BY account.id`,
  );

async function expectExactBooks(): Promise<void> {
  const rows = await sums();
  for (const { balance, posted } of rows) expect(balance).toBe(posted);
  expect(rows.reduce((sum, { balance }) => sum + balance, 0n)).toBe(0n);
}

describe('the book', () => {
  test('moves the balances with the entries', async () => {
    await booked(grant('g', 'acc', 1_000n), hold('job', 'acc', 600n));
    await booked(
      charge('att', 'acc', 'wrk', 400n, 250, 'pending'),
      earn('att', 'wrk', 390n),
      release('job', 'acc', 200n),
    );
    expect(await book.balances('acc')).toEqual({
      available: 600n,
      held: 0n,
      withdrawing: 0n,
      pending: 0n,
      earned: 0n,
      fees: 0n,
      grants: -1_000n,
      vault: 0n,
    });
    expect(await book.balances('wrk')).toMatchObject({ pending: 0n, earned: 390n });
    expect(await book.balances(NETWORK)).toMatchObject({ fees: 10n });
    expect(await book.balances('nobody')).toMatchObject({ available: 0n, held: 0n });
    await expectExactBooks();
  });

  test('books the same entry once, in another call as in the same', async () => {
    const entry = grant('g', 'acc', 1_000n);
    expect(await booked(entry)).toEqual([entry]);
    expect(await booked(entry)).toEqual([]);
    expect(await booked(grant('g', 'acc', 5n), grant('h', 'acc', 7n))).toEqual([
      grant('h', 'acc', 7n),
    ]);
    const twice = grant('i', 'acc', 100n);
    expect(await booked(twice, twice)).toEqual([twice]);
    expect((await book.balances('acc')).available).toBe(1_107n);
    expect(await entryCount()).toBe(3);
    await expectExactBooks();
  });

  test('knows entries of one ref but another kind apart', async () => {
    await booked(grant('same', 'acc', 10n), hold('same', 'acc', 4n));
    expect(await book.balances('acc')).toMatchObject({ available: 6n, held: 4n });
  });

  test('refuses to spend more than there is, and leaves nothing of the attempt', async () => {
    await booked(grant('g', 'acc', 100n));
    await expect(booked(hold('job', 'acc', 101n))).rejects.toMatchObject({
      code: '23514',
      constraint: 'balance_not_negative',
    });
    await expect(booked(charge('att', 'acc', 'wrk', 1n, 0, 'earned'))).rejects.toMatchObject({
      constraint: 'balance_not_negative',
    });
    await expect(booked(earn('att', 'wrk', 1n))).rejects.toMatchObject({
      constraint: 'balance_not_negative',
    });
    expect(await entryCount()).toBe(1);
    expect(await book.balances('acc')).toMatchObject({ available: 100n, held: 0n });
    await booked(hold('job', 'acc', 100n));
    await expectExactBooks();
  });

  test('leaves nothing of what was rolled back, and books it later all the same', async () => {
    const entry = grant('g', 'new', 100n);
    await database.app
      .transaction(async (tx) => {
        await book.book(tx, [entry]);
        throw new Error('the change failed');
      })
      .catch(() => undefined);
    expect(await entryCount()).toBe(0);
    expect(await booked(entry)).toEqual([entry]);
    expect((await book.balances('new')).available).toBe(100n);
  });

  test('writes nothing when nothing moves', async () => {
    expect(await booked()).toEqual([]);
    expect(await booked(charge('free', 'acc', 'wrk', 0n, 250, 'earned'))).toEqual([]);
    expect(await entryCount()).toBe(0);
  });
});

describe('PostgreSQL refuses an entry that does not sum to zero', () => {
  const unbalanced = (postings: Posting[]): Entry => ({ kind: 'grant', ref: 'bad', postings });

  test('from the book', async () => {
    const wrong = [
      unbalanced([{ owner: 'acc', bucket: 'available', amount: 1n }]),
      unbalanced([
        { owner: 'acc', bucket: 'available', amount: 2n },
        { owner: 'acc', bucket: 'grants', amount: -1n },
      ]),
    ];
    for (const entry of wrong) {
      await expect(booked(entry)).rejects.toMatchObject({ constraint: 'entry_sums_to_zero' });
      await expect(booked(grant('good', 'acc', 1n), entry)).rejects.toMatchObject({
        constraint: 'entry_sums_to_zero',
      });
    }
    expect(await entryCount()).toBe(0);
  });

  /** Two entries without postings and two accounts that have some money, for statements written by hand. */
  async function prepared(): Promise<{ entry: bigint; other: bigint; rich: bigint; poor: bigint }> {
    await booked(grant('a', 'acc', 100n), hold('job', 'acc', 50n));
    const entries = await database.app.query<{ id: bigint }>(
      `INSERT INTO ledger_entries (kind, ref) VALUES ('hand', 'one'), ('hand', 'two') RETURNING id`,
    );
    const accounts = await database.app.query<{ id: bigint }>(
      'SELECT id FROM ledger_accounts WHERE balance > 0 ORDER BY bucket',
    );
    const [entry = 0n, other = 0n] = entries.map(({ id }) => id);
    const [rich = 0n, poor = 0n] = accounts.map(({ id }) => id);
    return { entry, other, rich, poor };
  }

  test.each(['app', 'superuser'] as const)('from a statement of the role %s', async (role) => {
    const { entry, other, rich, poor } = await prepared();
    const post = (...rows: (readonly [bigint, bigint, bigint])[]) =>
      database[role].query(
        'INSERT INTO ledger_postings (entry_id, account_id, amount) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])',
        [
          rows.map(([id]) => id),
          rows.map(([, account]) => account),
          rows.map(([, , units]) => units),
        ],
      );
    const refused = { constraint: 'entry_sums_to_zero' };
    await expect(post([entry, rich, 1n])).rejects.toMatchObject(refused);
    await expect(post([entry, rich, 2n], [entry, poor, -1n])).rejects.toMatchObject(refused);
    // Balanced together, but not each for itself.
    await expect(post([entry, rich, 1n], [other, poor, -1n])).rejects.toMatchObject(refused);
    await expect(
      database[role].query(
        `WITH one AS (INSERT INTO ledger_postings (entry_id, account_id, amount) VALUES ($1, $2, 1))
         INSERT INTO ledger_postings (entry_id, account_id, amount) VALUES ($1, $3, 1)`,
        [entry, rich, poor],
      ),
    ).rejects.toMatchObject(refused);
    // An entry that stands gets no second leg on an account.
    await post([entry, rich, 1n], [entry, poor, -1n]);
    await expect(post([entry, rich, 1n], [entry, poor, -1n])).rejects.toMatchObject({
      code: '23505',
    });
    await expectExactBooks();
  });

  test('and a posting that belongs to nothing, or moves nothing, or what is not there', async () => {
    const { entry, rich, poor } = await prepared();
    const post = (id: bigint, from: bigint, to: bigint, units: bigint) =>
      database.app.query(
        'INSERT INTO ledger_postings (entry_id, account_id, amount) VALUES ($1, $2, -$4::bigint), ($1, $3, $4)',
        [id, from, to, units],
      );
    await expect(post(9_999n, rich, poor, 1n)).rejects.toMatchObject({ code: '23503' });
    await expect(post(entry, rich, 9_999n, 1n)).rejects.toMatchObject({ code: '23503' });
    await expect(post(entry, rich, poor, 0n)).rejects.toMatchObject({ code: '23514' });
    await expect(post(entry, rich, poor, 51n)).rejects.toMatchObject({
      constraint: 'balance_not_negative',
    });
    await expectExactBooks();
  });

  test('and the app role changes nothing that was written', async () => {
    await prepared();
    const forbidden = [
      'UPDATE ledger_accounts SET balance = 1000000',
      'UPDATE ledger_postings SET amount = amount * 2',
      `UPDATE ledger_entries SET ref = 'other'`,
      'DELETE FROM ledger_postings',
      'DELETE FROM ledger_entries',
      'DELETE FROM ledger_accounts',
      'TRUNCATE ledger_postings',
      'TRUNCATE ledger_entries',
      'TRUNCATE ledger_accounts',
      `INSERT INTO ledger_accounts (owner, bucket, balance) VALUES ('thief', 'available', 1000000)`,
      'ALTER TABLE ledger_postings DISABLE TRIGGER book_postings',
      'DROP TRIGGER book_postings ON ledger_postings',
      'DROP TABLE ledger_postings',
    ];
    const before = await sums();
    for (const statement of forbidden)
      await expect(database.app.query(statement), statement).rejects.toMatchObject({
        code: '42501',
      });
    expect(await sums()).toEqual(before);
  });

  test('and a balance that is not the network’s goes below zero for nobody', async () => {
    const { entry } = await prepared();
    const account = async (bucket: string) =>
      (
        await database.app.query<{ id: bigint }>(
          'INSERT INTO ledger_accounts (owner, bucket) VALUES ($1, $2) RETURNING id',
          ['x', bucket],
        )
      )[0]?.id;
    const fees = await account('fees');
    for (const bucket of ['available', 'held', 'pending', 'earned']) {
      const id = await account(bucket);
      const overdraw = database.superuser.query(
        'INSERT INTO ledger_postings (entry_id, account_id, amount) VALUES ($1, $2, -1), ($1, $3, 1)',
        [entry, id, fees],
      );
      await expect(overdraw).rejects.toMatchObject({ constraint: 'balance_not_negative' });
    }
    await expect(account('pocket')).rejects.toMatchObject({ code: '23514' });
  });
});

describe('eight connections that book at once', () => {
  const CONNECTIONS = 8;
  const OWNERS = 5;

  /** Books on a connection of its own and tries only once: a deadlock would show as an error. */
  async function bookOnce(
    db: PgDb,
    by: PgLedgerBook,
    entries: readonly Entry[],
  ): Promise<readonly Entry[]> {
    const client = await db.pool.connect();
    const tx: Tx = {
      query: async (text, values = []) => (await client.query(text, [...values])).rows,
    };
    try {
      await client.query('BEGIN');
      const fresh = await by.book(tx, entries);
      await client.query('COMMIT');
      return fresh;
    } catch (cause) {
      await client.query('ROLLBACK');
      throw cause;
    } finally {
      client.release();
    }
  }

  /** A small generator of whole numbers below n, the same in every run. */
  function sequence(seed: number): (n: number) => number {
    let state = seed;
    return (n) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
  }

  async function withConnections<T>(work: (db: PgDb) => Promise<T>): Promise<T> {
    const db = new PgDb(
      { url: database.url, role: 'tidemill_app', max: CONNECTIONS, name: 'test' },
      pino({ level: 'silent' }),
    );
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  }

  test('never deadlock, and every balance is exact', async () => {
    await booked(
      ...Array.from({ length: OWNERS }, (_, i) => grant(`start ${i}`, `acc${i}`, 1_000_000n)),
    );
    const all = await withConnections((db) =>
      Promise.all(
        Array.from({ length: CONNECTIONS }, async (_, connection) => {
          const below = sequence(connection + 1);
          // Two processes would each have a book, with accounts of its own in mind.
          const own = new PgLedgerBook(db);
          const fresh: Entry[] = [];
          for (let round = 0; round < 30; round += 1) {
            const entries = Array.from({ length: 1 + below(6) }, (_, i): Entry => {
              const ref = `${connection} ${round} ${i}`;
              const owner = `acc${below(OWNERS)}`;
              const units = BigInt(1 + below(900));
              return below(3) === 0 ? grant(ref, owner, units) : hold(ref, owner, units);
            });
            fresh.push(...(await bookOnce(db, own, entries)));
          }
          return fresh;
        }),
      ),
    );
    const expected = new Map<string, bigint>();
    for (const { postings } of all.flat()) {
      for (const { owner, bucket, amount } of postings)
        expected.set(`${owner} ${bucket}`, (expected.get(`${owner} ${bucket}`) ?? 0n) + amount);
    }
    for (const { owner, bucket, balance } of await sums()) {
      const start = bucket === 'available' ? 1_000_000n : bucket === 'grants' ? -1_000_000n : 0n;
      expect(balance - start).toBe(expected.get(`${owner} ${bucket}`) ?? 0n);
    }
    await expectExactBooks();
  });

  test('book the same entries once between them, in whatever order each has them', async () => {
    const entries = Array.from({ length: 60 }, (_, i) =>
      grant(`g${i}`, `acc${i % OWNERS}`, BigInt(i + 1)),
    );
    const fresh = await withConnections((db) =>
      Promise.all(
        Array.from({ length: CONNECTIONS }, async (_, connection) => {
          const own = new PgLedgerBook(db);
          const below = sequence(connection + 100);
          const order = [...entries].sort(() => below(3) - 1);
          const found: Entry[] = [];
          for (let from = 0; from < order.length; from += 20)
            found.push(...(await bookOnce(db, own, order.slice(from, from + 20))));
          return found;
        }),
      ),
    );
    expect(
      fresh
        .flat()
        .map(({ ref }) => ref)
        .sort(),
    ).toEqual(entries.map(({ ref }) => ref).sort());
    const total = entries.reduce((sum, { postings }) => sum + (postings[0]?.amount ?? 0n), 0n);
    const available = (await sums()).filter(({ bucket }) => bucket === 'available');
    expect(available.reduce((sum, { balance }) => sum + balance, 0n)).toBe(total);
    await expectExactBooks();
  });
});
