import { PublicKey } from '@solana/web3.js';
import { rootStatementBytes } from '@tidemill/protocol';
import { nodeSha256, type Signer } from '@tidemill/protocol/node';
import type { SettlementInstructions } from '@tidemill/settlement-client';
import type { Logger } from 'pino';
import type { Db, Tx } from '../platform/db/db.js';
import type { Epochs } from '../settlement/epochs.js';
import type { EpochsUnderWay, EpochUnderWay } from './epochs-under-way.js';
import type { NetworkAccount } from './network-account.js';
import { rootStanding } from './root-standing.js';
import type { Sender } from './sender.js';
import type { SettlementStop } from './settlement-stop.js';

/** Checking three co-signers and writing a root takes about 2,400. */
const POST_UNITS = 20_000;

/** Brings sealed epochs on chain, and says in the ledger what became of them by the finalized chain alone (G10). */
export class Poster {
  constructor(
    private readonly authority: Signer,
    /** How many co-signers the chain asks for: more would not fit in a transaction for ever. */
    private readonly threshold: number,
    private readonly account: Pick<NetworkAccount, 'read'>,
    private readonly build: SettlementInstructions,
    private readonly sender: Pick<Sender, 'begin'>,
    private readonly epochs: Pick<Epochs, 'toPost' | 'posted' | 'final' | 'voided'>,
    private readonly underWay: EpochsUnderWay,
    private readonly stop: SettlementStop,
    private readonly db: Pick<Db, 'transaction'>,
    private readonly log: Logger,
  ) {}

  /** @throws ChainUnavailableError, ChainDisagreementError */
  async turn(): Promise<void> {
    if (await this.stop.isStopped()) return;
    const epoch = await this.db.transaction((tx) => this.underWay.now(tx));
    if (epoch === null) return;
    const chain = await this.account.read();
    const hash = nodeSha256(rootStatementBytes(epoch.statement));
    const standing = rootStanding(chain, epoch.number, hash);
    switch (standing) {
      case 'absent':
        return this.post(epoch);
      case 'pending':
        return this.move(epoch, (tx) => this.epochs.posted(tx, epoch.number));
      case 'active':
        return this.move(epoch, (tx) => this.epochs.final(tx, epoch.number));
      case 'voided':
        return this.move(epoch, (tx) =>
          this.epochs.voided(tx, epoch.number, 'its root was taken back on chain'),
        );
      case 'contradicted':
        return this.stop.stop(
          `the chain is at epoch ${chain.lastEpoch} with another root than that of epoch ${epoch.number}`,
        );
    }
  }

  /** The last epoch that became final. */
  lastFinal(): Promise<bigint | null> {
    return this.db.transaction((tx) => this.underWay.lastFinal(tx));
  }

  private async post({ number, state }: EpochUnderWay): Promise<void> {
    // Once it has been seen, only a node that lags says that it is not there.
    if (state === 'posted') return;
    const ready = await this.epochs.toPost();
    if (ready?.number !== number) return;
    const signed = ready.attestations.slice(0, this.threshold).map(({ cosigner, signature }) => ({
      publicKey: cosigner,
      signature,
    }));
    const begun = await this.sender.begin({
      purpose: `root:${number}`,
      instructions: this.build.postRoot(
        new PublicKey(this.authority.publicKey),
        ready.statement,
        signed,
        0,
      ),
      units: POST_UNITS,
      signers: [this.authority],
    });
    if (begun.state === 'refused')
      this.log.warn({ epoch: Number(number), why: begun.why }, 'the chain would refuse the root');
    if (begun.state === 'given up')
      await this.stop.stop(`the chain has refused the root of epoch ${number} again and again`);
  }

  private move({ number, state }: EpochUnderWay, then: (tx: Tx) => Promise<void>): Promise<void> {
    return this.db.transaction(async (tx) => {
      const now = await this.underWay.now(tx);
      if (now?.number !== number || now.state !== state) return;
      // What comes after it goes by way of it, also when nobody looked meanwhile.
      await this.epochs.posted(tx, number);
      await then(tx);
    });
  }
}
