import { Injectable } from '@nestjs/common';
import {
  CHAIN,
  claimed,
  deposit,
  feesWithdrawn,
  setAside,
  withdrawn,
  type Entry,
} from '@tidemill/core/ledger';
import type { ChainTotals } from '@tidemill/core/settlement';
import type { AccountId, WorkerId } from '@tidemill/protocol';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import { Directory } from '../identity/directory.js';
import type { Tx } from '../platform/db/db.js';

/** What a finalized transaction of the settlement program did. `ref` is its signature and the place of the instruction in it. */
interface Moved {
  /** In base units. */
  readonly amount: bigint;
  readonly ref: string;
}
type OfWallet = Moved & { readonly wallet: string };

/**
 * What the chain says, in the ledger. Each ref is booked once, in the caller's transaction, and callers take turns: the lock of the
 * books is theirs until they commit. Only what is finalized may come here.
 */
@Injectable()
export class ChainBooks {
  constructor(
    private readonly book: LedgerBook,
    private readonly directory: Directory,
  ) {}

  /** Tokens came in for a submitter, who has an account and an index from then on. */
  async deposited(tx: Tx, { wallet, amount, ref }: OfWallet): Promise<void> {
    await this.lock(tx);
    const account = await this.directory.ensureAccount(tx, wallet);
    await tx.query(INDEX_SUBMITTER, [account, wallet]);
    if (!(await this.isNew(tx, deposit(ref, account, amount)))) return;
    await tx.query(
      'UPDATE settlement_submitters SET deposited = deposited + $2 WHERE account_id = $1',
      [account, amount],
    );
    await tx.query('UPDATE chain_books SET deposited = deposited + $1', [amount]);
  }

  /**
   * A submitter wants so much back, in place of what it wanted before; nothing takes the request back. What it has available of that
   * can no longer be spent; what comes back to it of its holds is added when an epoch is sealed.
   */
  async withdrawalRequested(tx: Tx, { wallet, amount, ref }: OfWallet): Promise<void> {
    await this.lock(tx);
    const account = await this.accountOf(tx, wallet);
    // An entry that moves nothing is not written, so requests are known by rows of their own.
    if ((await tx.query(NOTE_REQUEST, [ref, account, amount])).length === 0) return;
    await tx.query('UPDATE settlement_submitters SET requested = $2 WHERE account_id = $1', [
      account,
      amount,
    ]);
    const { available, withdrawing } = await this.lockedBalances(tx, account);
    const most = available + withdrawing;
    const aside = amount < most ? amount : most;
    await this.book.book(tx, [setAside(ref, account, aside - withdrawing)]);
  }

  /** A withdrawal was paid, which ends its request. @throws `balance_not_negative` when more was paid than nobody had spent */
  async withdrawn(tx: Tx, { wallet, amount, ref }: OfWallet): Promise<void> {
    await this.lock(tx);
    const account = await this.accountOf(tx, wallet);
    const { withdrawing } = await this.lockedBalances(tx, account);
    if (!(await this.isNew(tx, withdrawn(ref, account, amount, withdrawing)))) return;
    await tx.query(
      'UPDATE settlement_submitters SET withdrawn = withdrawn + $2, requested = 0 WHERE account_id = $1',
      [account, amount],
    );
    await tx.query('UPDATE chain_books SET withdrawn = withdrawn + $1', [amount]);
  }

  /** The worker of an index was paid. */
  async claimed(tx: Tx, { index, amount, ref }: Moved & { readonly index: number }): Promise<void> {
    await this.lock(tx);
    const [row] = await tx.query<{ worker_id: WorkerId }>(
      'SELECT worker_id FROM settlement_workers WHERE index = $1',
      [index],
    );
    if (row === undefined) throw new Error(`a claim of index ${index}, which nobody has`);
    if (!(await this.isNew(tx, claimed(ref, row.worker_id, amount)))) return;
    await tx.query('UPDATE chain_books SET paid = paid + $1', [amount]);
  }

  /** The network took fees out. */
  async feesWithdrawn(tx: Tx, { amount, ref }: Moved): Promise<void> {
    await this.lock(tx);
    if (!(await this.isNew(tx, feesWithdrawn(ref, amount)))) return;
    await tx.query('UPDATE chain_books SET fees_withdrawn = fees_withdrawn + $1', [amount]);
  }

  /** Everything up to a finalized slot is booked. An earlier slot than before changes nothing. */
  async seen(tx: Tx, slot: bigint): Promise<void> {
    await tx.query('UPDATE chain_books SET seen_slot = greatest(seen_slot, $1)', [slot]);
  }

  /** The finalized slot up to which everything is booked. */
  async seenSlot(tx: Tx): Promise<bigint> {
    return (await booksOf(tx)).seenSlot;
  }

  /** What the vault holds by the ledger, in base units: to be compared with `vaultOf` what the program says. */
  async vault(tx: Tx): Promise<bigint> {
    return -(await this.book.balances(CHAIN, tx)).vault;
  }

  /** What came in and went out on chain since the beginning, as far as it is booked. */
  totals(tx: Tx): Promise<ChainTotals> {
    return booksOf(tx);
  }

  private async lock(tx: Tx): Promise<void> {
    await tx.query('SELECT FROM chain_books FOR UPDATE');
  }

  private async isNew(tx: Tx, entry: Entry): Promise<boolean> {
    return (await this.book.book(tx, [entry])).length > 0;
  }

  private async accountOf(tx: Tx, wallet: string): Promise<AccountId> {
    const [row] = await tx.query<{ account_id: AccountId }>(
      'SELECT account_id FROM settlement_submitters WHERE wallet = $1',
      [wallet],
    );
    if (row === undefined) throw new Error(`${wallet} withdraws, but has never deposited`);
    return row.account_id;
  }

  /** Balances that nobody else changes until the transaction ends. */
  private async lockedBalances(tx: Tx, account: AccountId) {
    await tx.query('SELECT FROM ledger_accounts WHERE owner = $1 ORDER BY id FOR NO KEY UPDATE', [
      account,
    ]);
    return this.book.balances(account, tx);
  }
}

/** What is booked of the chain, with the slot that this is as of. */
export async function booksOf(tx: Tx): Promise<ChainTotals & { readonly seenSlot: bigint }> {
  const [row] = await tx.query<ChainTotals & { seenSlot: bigint }>(BOOKS);
  if (row === undefined) throw new Error('the books of the chain are gone');
  return row;
}

const BOOKS = `
SELECT seen_slot AS "seenSlot", deposited, withdrawn, paid, fees_withdrawn AS "feesWithdrawn" FROM chain_books`;

/** Under the lock of the books, so that no index is given twice or left out. */
const INDEX_SUBMITTER = `
INSERT INTO settlement_submitters (index, account_id, wallet)
SELECT coalesce(max(index) + 1, 0), $1, $2 FROM settlement_submitters
ON CONFLICT (account_id) DO NOTHING`;

const NOTE_REQUEST = `
INSERT INTO withdrawal_requests (ref, account_id, amount) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING ref`;
