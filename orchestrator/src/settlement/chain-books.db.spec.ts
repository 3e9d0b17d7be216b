import { afterAll, beforeAll, expect, test } from 'vitest';
import { vaultOf } from '@tidemill/core/settlement';
import { AccountsService } from '../accounts/accounts.service.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet } from '../identity/testing/wallet.js';
import type { Tx } from '../platform/db/db.js';
import { ChainBooks } from './chain-books.js';
import { JoiningService } from './joining.service.js';
import { SettledRows, startWithChain } from './testing/settled-rows.js';
import { Trees } from './trees.js';

let host: StageHost;
let rows: SettledRows;
let books: ChainBooks;

beforeAll(async () => {
  host = await startWithChain([aWallet().address, aWallet().address]);
  rows = new SettledRows(host);
  books = host.app.get(ChainBooks);
});
afterAll(() => host.stop());

const within = <T>(work: (tx: Tx) => Promise<T>) => host.db.transaction(work);
/** Every unit is somewhere, and the vault's bucket is what the program must say (G8). */
async function agree() {
  const { sum, vault } = await rows.books();
  expect([sum, vault]).toEqual([0n, vaultOf(await within((tx) => books.totals(tx)))]);
}

test('a deposit is booked once, and its submitter gets the next index (G8, G9)', async () => {
  const wallets = [aWallet().address, aWallet().address];
  await Promise.all(
    [...wallets, ...wallets].map((wallet) => rows.deposit(wallet, 500n, `deposit of ${wallet}`)),
  );
  const indexed = await host.db.query<{ index: number; deposited: bigint }>(
    'SELECT index, deposited FROM settlement_submitters ORDER BY index',
  );
  expect(indexed).toEqual([
    { index: 0, deposited: 500n },
    { index: 1, deposited: 500n },
  ]);
  await agree();
});

test('what is asked back cannot be spent, a later request replaces it, and what is paid ends it', async () => {
  const { account, wallet } = await rows.submitter(1_000n);
  const request = (amount: bigint, ref: string) =>
    within((tx) => books.withdrawalRequested(tx, { wallet, amount, ref }));
  await request(300n, 'first');
  expect(await rows.balances(account)).toMatchObject({ available: 700n, withdrawing: 300n });
  await request(5_000n, 'second');
  await request(300n, 'first');
  expect(await rows.balances(account)).toMatchObject({ available: 0n, withdrawing: 1_000n });
  await request(400n, 'third');
  for (let time = 0; time < 2; time += 1)
    await within((tx) => books.withdrawn(tx, { wallet, amount: 250n, ref: 'paid' }));
  expect(await rows.balances(account)).toMatchObject({ available: 750n, withdrawing: 0n });
  expect(await host.app.get(AccountsService).view(account, wallet)).toMatchObject({
    deposited: '1000',
    withdrawn: '250',
    withdrawing: '0',
    available: '750',
    spent: '0',
  });
  await agree();
});

test('what comes back to a submitter that asked for more is set aside when an epoch is sealed', async () => {
  const { account, wallet } = await rows.submitter(1_000n);
  const worker = await rows.worker();
  await rows.charge({ account, wallet }, worker, { price: 400n, fee: 40n });
  await within((tx) => books.withdrawalRequested(tx, { wallet, amount: 900n, ref: 'all' }));
  await rows.deposit(wallet, 100n);
  await host.app.get(JoiningService).turn();
  const number = await rows.seal();
  // 700 are left of 1,100, and all of them were asked for.
  expect(await rows.balances(account)).toMatchObject({ available: 0n, withdrawing: 700n });
  const { submitters } = await host.app.get(Trees).of(number);
  expect(submitters.leaves.at(-1)).toMatchObject({ lifetimeSpent: 400n, held: 0n });

  await within((tx) => books.claimed(tx, { index: 0, amount: 300n, ref: 'claim' }));
  await within((tx) => books.claimed(tx, { index: 0, amount: 300n, ref: 'claim' }));
  expect((await rows.balances(worker)).earned).toBe(60n);
  await within((tx) => books.feesWithdrawn(tx, { amount: 15n, ref: 'fees' }));
  await agree();
});

test('the slot that is seen never goes back, and credit that is in no vault is refused', async () => {
  await within((tx) => books.seen(tx, 90n));
  await within((tx) => books.seen(tx, 80n));
  expect(await within((tx) => books.seenSlot(tx))).toBe(90n);
  await expect(
    host.app.get(AccountsService).credit(aWallet().address, '1', 'gift'),
  ).rejects.toMatchObject({ code: 'CREDIT_ON_CHAIN' });
});
