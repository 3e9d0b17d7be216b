import { Injectable } from '@nestjs/common';
import { grant } from '@tidemill/core/ledger';
import {
  parseAmount,
  type AccountId,
  type AccountView,
  type EntryFilter,
  type LedgerEntryView,
} from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Directory } from '../identity/directory.js';
import { Db } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { ProblemError } from '../platform/http/problem.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { BalanceWarnings } from './balance-warnings.js';
import { BudgetsService } from './budgets.service.js';
import { LedgerBook } from './ledger-book.store.js';

const NOTHING_ON_CHAIN = { deposited: 0n, withdrawn: 0n };

/** A submitter's money as it is shown, and credit given by the operator. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly book: LedgerBook,
    private readonly warnings: BalanceWarnings,
    private readonly budgets: BudgetsService,
    private readonly directory: Directory,
    private readonly trail: TrailWriter,
  ) {}

  async view(id: AccountId, wallet: string): Promise<AccountView> {
    const { available, held, withdrawing, grants } = await this.book.balances(id);
    const { deposited, withdrawn } = await this.onChain(id);
    const below = await this.warnings.of(id);
    const granted = -grants;
    return {
      id,
      wallet,
      available: String(available),
      held: String(held),
      spent: String(granted + deposited - withdrawn - available - held - withdrawing),
      granted: String(granted),
      deposited: String(deposited),
      withdrawing: String(withdrawing),
      withdrawn: String(withdrawn),
      warnBelow: below === null ? null : String(below),
      budget: await this.budgets.ofAccount(id),
    };
  }

  /** What came in and went out on chain, in base units. */
  private async onChain(id: AccountId): Promise<{ deposited: bigint; withdrawn: bigint }> {
    if (this.config.settlement === null) return NOTHING_ON_CHAIN;
    const [row] = await this.db.query<typeof NOTHING_ON_CHAIN>(
      'SELECT deposited, withdrawn FROM settlement_submitters WHERE account_id = $1',
      [id],
    );
    return row ?? NOTHING_ON_CHAIN;
  }

  /** The event balance.low tells when less than this is available; null ends it. */
  async warnBelow(id: AccountId, wallet: string, amountText: string | null): Promise<AccountView> {
    const units = amountText === null ? null : parseAmount(amountText);
    await this.warnings.set(id, units === 0n ? null : units);
    return this.view(id, wallet);
  }

  /** Gives a wallet credit; the same `ref` again changes nothing. @throws ProblemError CREDIT_ON_CHAIN where there is a vault: credit would not be in it */
  async credit(wallet: string, amountText: string, ref: string): Promise<AccountView> {
    if (this.config.settlement !== null)
      throw new ProblemError(
        'CREDIT_ON_CHAIN',
        `Deposit in the name of ${wallet}: tidemill deposit --for ${wallet}.`,
      );
    const units = parseAmount(amountText);
    if (units === null || units === 0n)
      throw new ProblemError('VALIDATION_FAILED', 'body.amount: more than nothing');
    const account = await this.db.transaction(async (tx) => {
      const id = await this.directory.ensureAccount(tx, wallet);
      const booked = await this.book.book(tx, [grant(ref, id, units)]);
      if (booked.length > 0) {
        await this.trail.append(tx, [
          {
            kind: 'credit.granted',
            subject: id,
            body: JSON.stringify({ account: id, amount: String(units), ref }),
          },
        ]);
      }
      faultPoint('accounts.credit.before-commit');
      return id;
    });
    faultPoint('accounts.credit.after-commit');
    return this.view(account, wallet);
  }

  /** Entries that touch an owner and fit the filter, newest first, a page of them. @throws ProblemError CURSOR_INVALID */
  async entries(owner: string, filter: EntryFilter): Promise<Page<LedgerEntryView>> {
    const before = positionOf('entries', filter.cursor, /^\d{1,18}$/);
    const rows = await this.db.query<{
      id: bigint;
      at: Date;
      kind: string;
      ref: string;
      postings: { account: string; amount: string }[];
    }>(ENTRIES, [
      owner,
      before?.[0] ?? null,
      filter.kind ?? null,
      filter.ref ?? null,
      filter.createdAfter ?? null,
      filter.createdBefore ?? null,
      filter.limit + 1,
    ]);
    const items = rows.map(({ id, at, kind, ref, postings }) => ({
      id: String(id),
      at: at.toISOString(),
      kind,
      ref,
      postings,
    }));
    return pageOf('entries', items, filter.limit, ({ id }) => id);
  }
}

/** All legs of an entry are shown: who earned what on a job is public in the trail anyway. */
const ENTRIES = `
WITH mine AS (
  SELECT DISTINCT posting.entry_id
  FROM ledger_postings AS posting JOIN ledger_accounts AS account ON account.id = posting.account_id
  JOIN ledger_entries AS entry ON entry.id = posting.entry_id
  WHERE account.owner = $1 AND ($2::bigint IS NULL OR posting.entry_id < $2)
    AND ($3::text IS NULL OR entry.kind = $3) AND ($4::text IS NULL OR entry.ref = $4)
    AND ($5::timestamptz IS NULL OR entry.at >= $5) AND ($6::timestamptz IS NULL OR entry.at < $6)
  ORDER BY posting.entry_id DESC LIMIT $7
)
SELECT entry.id, entry.at, entry.kind, entry.ref,
  jsonb_agg(jsonb_build_object('account', account.owner || ':' || account.bucket, 'amount', posting.amount::text) ORDER BY account.owner, account.bucket) AS postings
FROM mine
JOIN ledger_entries AS entry ON entry.id = mine.entry_id
JOIN ledger_postings AS posting ON posting.entry_id = entry.id AND posting.account_id = ANY (entry.accounts)
JOIN ledger_accounts AS account ON account.id = posting.account_id
GROUP BY entry.id ORDER BY entry.id DESC`;
