import { beforeEach, describe, expect, test } from 'vitest';
import type { SignedTransaction, TransactionsStore } from '../transactions.store.js';

let names = 0;

const aTransaction = (purpose: string): SignedTransaction => ({
  purpose,
  signature: `signature-${(names += 1)}`,
  wire: Uint8Array.of(1, 2, 3, names % 256),
  lastValidHeight: 100n + BigInt(names),
  microLamports: names,
});

/** What every adapter of the transactions store promises. */
export function describeTransactionsStore(name: string, open: () => TransactionsStore): void {
  describe(name, () => {
    let store: TransactionsStore;
    let purpose: string;
    beforeEach(() => {
      store = open();
      purpose = `purpose-${(names += 1)}`;
    });

    const mine = async () =>
      (await store.live(1_000)).filter((transaction) => transaction.purpose === purpose);

    test('gives back the very bytes that were signed, until they are done with', async () => {
      const transaction = aTransaction(purpose);
      expect(await store.add(transaction)).toBe(true);
      const [kept] = await mine();
      expect({ ...kept, wire: [...(kept?.wire ?? [])] }).toMatchObject({
        ...transaction,
        wire: [...transaction.wire],
      });
      expect(await store.end(transaction.signature, 'done')).toBe(true);
      expect(await mine()).toEqual([]);
    });

    test('takes no second one while the first could land, nor once it has (G10)', async () => {
      const first = aTransaction(purpose);
      expect(await store.add(first)).toBe(true);
      expect(await store.add(aTransaction(purpose))).toBe(false);
      await store.end(first.signature, 'done');
      expect(await store.add(aTransaction(purpose))).toBe(false);
      expect(await store.history(purpose)).toEqual({
        isLive: false,
        isDone: true,
        failed: 0,
        expired: 0,
      });
    });

    test('takes a new one after one that failed or never landed, and counts those', async () => {
      for (const ending of ['expired', 'failed', 'expired'] as const) {
        const transaction = aTransaction(purpose);
        expect(await store.add(transaction)).toBe(true);
        await store.end(transaction.signature, ending);
      }
      expect(await store.add(aTransaction(purpose))).toBe(true);
      expect(await store.history(purpose)).toEqual({
        isLive: true,
        isDone: false,
        failed: 1,
        expired: 2,
      });
    });

    test('adding the same bytes twice is adding them once; ending twice ends once', async () => {
      const transaction = aTransaction(purpose);
      expect(await store.add(transaction)).toBe(true);
      expect(await store.add(transaction)).toBe(true);
      expect(await mine()).toHaveLength(1);
      expect(await store.end(transaction.signature, 'expired')).toBe(true);
      expect(await store.end(transaction.signature, 'done')).toBe(false);
      expect(await store.add(transaction)).toBe(false);
    });

    test('of many that are added at once for one purpose, one is kept', async () => {
      const added = await Promise.all(
        Array.from({ length: 5 }, () => store.add(aTransaction(purpose))),
      );
      expect(added.filter(Boolean)).toHaveLength(1);
      expect(await mine()).toHaveLength(1);
    });

    test('a purpose that nothing was signed for has no history', async () => {
      expect(await store.history(purpose)).toEqual({
        isLive: false,
        isDone: false,
        failed: 0,
        expired: 0,
      });
    });
  });
}
