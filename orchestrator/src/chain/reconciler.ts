import { vaultOf } from '@tidemill/core/settlement';
import type { Logger } from 'pino';
import type { Db } from '../platform/db/db.js';
import type { ChainBooks } from '../settlement/chain-books.js';
import type { ChainStateStore } from './chain-state.store.js';
import type { NetworkAccount } from './network-account.js';
import type { Observer } from './observer.js';
import type { SettlementStop } from './settlement-stop.js';

/** Compares the ledger with the finalized chain, to the last base unit (G8). */
export class Reconciler {
  constructor(
    private readonly account: Pick<NetworkAccount, 'read'>,
    private readonly books: Pick<ChainBooks, 'vault' | 'seenSlot' | 'totals'>,
    private readonly store: Pick<ChainStateStore, 'lock' | 'reconciled'>,
    private readonly observer: Pick<Observer, 'turn'>,
    private readonly stop: Pick<SettlementStop, 'stop'>,
    private readonly db: Pick<Db, 'transaction'>,
    private readonly log: Logger,
  ) {}

  /**
   * True when they were compared. The chain moves on meanwhile, so its totals are read before and after what was seen of it: when
   * they have not changed they were the same at the slot that the ledger is at. @throws ChainUnavailableError, ChainDisagreementError
   */
  async turn(): Promise<boolean> {
    const before = await this.account.read();
    await this.observer.turn();
    const ledger = await this.db.transaction(async (tx) => {
      await this.store.lock(tx);
      return {
        seen: await this.books.seenSlot(tx),
        vault: await this.books.vault(tx),
        totals: await this.books.totals(tx),
      };
    });
    if (ledger.seen < before.slot) return false;
    const after = await this.account.read(ledger.seen);
    if (JSON.stringify(texts(after.totals)) !== JSON.stringify(texts(before.totals))) return false;
    const vault = vaultOf(after.totals);
    if (vault !== ledger.vault) {
      await this.stop.stop(
        `at slot ${ledger.seen} the vault holds ${vault} by the chain and ${ledger.vault} by the ledger`,
      );
      this.log.error(
        { chain: texts(after.totals), ledger: texts(ledger.totals) },
        'ledger and chain differ',
      );
      return true;
    }
    await this.db.transaction((tx) => this.store.reconciled(tx, ledger.seen));
    return true;
  }
}

/** By name, for totals come with more than these, and in any order. */
const texts = ({
  deposited,
  withdrawn,
  paid,
  feesWithdrawn,
}: {
  readonly deposited: bigint;
  readonly withdrawn: bigint;
  readonly paid: bigint;
  readonly feesWithdrawn: bigint;
}) => [deposited, withdrawn, paid, feesWithdrawn].map(String);
