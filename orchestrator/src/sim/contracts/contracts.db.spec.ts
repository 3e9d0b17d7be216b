import { charge, grant, hold, release } from '@tidemill/core/ledger';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SystemClock } from '../../platform/clock.js';
import { violates } from '../../platform/db/violation.js';
import { ADAPTERS, type Adapters } from './adapters.js';

class Undone extends Error {}

describe.each(ADAPTERS)('on $name', ({ open }) => {
  let on: Adapters;
  beforeAll(async () => {
    on = await open(new SystemClock());
  });
  afterAll(() => on.drop());

  const booked = (...entries: Parameters<Adapters['book']['book']>[1]) =>
    on.db.transaction((tx) => on.book.book(tx, entries));

  describe('the ledger book', () => {
    test('books each entry once for its kind and ref, and says which are new (G9)', async () => {
      const entries = [grant('once', 'once', 100n), hold('once', 'once', 40n)];
      const [given] = entries;
      expect(await booked(...entries)).toHaveLength(2);
      expect(await booked(...entries)).toEqual([]);
      expect(await booked(grant('once', 'once', 900n))).toEqual([]);
      expect(await on.book.balances('once')).toMatchObject({ available: 60n, held: 40n });
      expect(given?.kind).toBe('grant');
    });

    test('takes the first of two that are wanted under one name', async () => {
      const first = grant('twice', 'twice', 10n);
      expect(await booked(first, grant('twice', 'twice', 20n))).toEqual([first]);
      expect(await on.book.balances('twice')).toMatchObject({ available: 10n, grants: -10n });
    });

    test('writes no entry that moves nothing', async () => {
      const nothing = { kind: 'release', ref: 'nothing', postings: [] } as const;
      expect(await booked(nothing)).toEqual([]);
      await booked(grant('nothing', 'nothing', 5n), hold('nothing', 'nothing', 5n));
      expect(await booked(release('nothing', 'nothing', 5n))).toHaveLength(1);
    });

    test('refuses what would take more than there is, whole (G9)', async () => {
      await booked(grant('poor', 'poor', 10n));
      const refused = booked(hold('poor-1', 'poor', 4n), hold('poor-2', 'poor', 7n));
      await expect(refused).rejects.toSatisfy((cause) => violates(cause, 'balance_not_negative'));
      expect(await on.book.balances('poor')).toMatchObject({ available: 10n, held: 0n });
    });

    test('counts the legs of one call together before it looks at a balance', async () => {
      const entries = [
        charge('together', 'together', 'wrk', 30n, 500, 'earned'),
        hold('together', 'together', 30n),
        grant('together', 'together', 30n),
      ];
      expect(await booked(...entries)).toHaveLength(3);
      expect(await on.book.balances('together')).toMatchObject({ available: 0n, held: 0n });
      expect(await on.book.balances('wrk')).toMatchObject({ earned: 29n });
    });

    test('forgets what a transaction that is undone has booked, and shows it inside', async () => {
      const undone = on.db.transaction(async (tx) => {
        await on.book.book(tx, [grant('undone', 'undone', 7n)]);
        expect(await on.book.balances('undone', tx)).toMatchObject({ available: 7n });
        throw new Undone();
      });
      await expect(undone).rejects.toThrow(Undone);
      expect(await on.book.balances('undone')).toMatchObject({ available: 0n });
      expect(await booked(grant('undone', 'undone', 7n))).toHaveLength(1);
    });
  });

  describe('a stage’s cursor', () => {
    const turn = (): Promise<{ from: bigint; to: bigint }> =>
      on.db.transaction(async (tx) => {
        const { from, to } = await on.cursors.open(tx, 'ledger');
        await on.cursors.close(tx, 'ledger', to);
        return { from: BigInt(from), to: BigInt(to) };
      });

    test('begins where the last window ended, and never goes back', async () => {
      const windows = [await turn(), await turn(), await turn()];
      for (const [i, { from, to }] of windows.entries()) {
        expect(to).toBeGreaterThanOrEqual(from);
        if (i > 0) expect(from).toBe(windows[i - 1]?.to);
      }
    });

    test('stays where it was when the turn is undone', async () => {
      const before = await turn();
      const undone = on.db.transaction(async (tx) => {
        await on.number(tx);
        const { to } = await on.cursors.open(tx, 'ledger');
        await on.cursors.close(tx, 'ledger', to);
        throw new Undone();
      });
      await expect(undone).rejects.toThrow(Undone);
      expect((await turn()).from).toBe(before.to);
    });

    test('stops before a transaction that is still open, and takes it once it has ended', async () => {
      const xid = await on.db.transaction(async (tx) => {
        const own = await on.number(tx);
        const { to } = await turn();
        expect(to).toBeLessThanOrEqual(own);
        return own;
      });
      // Transactions of others on the same server may hold the window back for a moment.
      await expect.poll(async () => (await turn()).to > xid, { timeout: 20_000 }).toBe(true);
    });
  });

  describe('the trail', () => {
    const append = (subject: string, kinds: readonly string[], isUndone = false) =>
      on.db.transaction(async (tx) => {
        await on.trail.append(
          tx,
          kinds.map((kind) => ({ kind, subject, body: {} })),
        );
        if (isUndone) throw new Undone();
      });

    test('keeps the events of a transaction in their order, and none of one that is undone (G15)', async () => {
      await append('one', ['b', 'a']);
      await expect(append('two', ['c'], true)).rejects.toThrow(Undone);
      await append('three', ['d']);
      expect(await on.events()).toEqual(['b one', 'a one', 'd three']);
    });
  });
});
