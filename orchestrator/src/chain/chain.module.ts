import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { Config } from '../config/env.js';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { Loops } from '../platform/loop.js';
import { LOGGER } from '../platform/platform.module.js';
import { ChainBooks } from '../settlement/chain-books.js';
import { Epochs } from '../settlement/epochs.js';
import { SettlementModule } from '../settlement/settlement.module.js';
import { Trees } from '../settlement/trees.js';
import { TrailModule } from '../trail/trail.module.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { startChainLoops } from './chain-loop.js';
import { ChainStateStore } from './chain-state.store.js';
import { ChainTurns } from './chain-turns.js';
import { ChainController } from './chain.controller.js';
import { EpochsUnderWay } from './epochs-under-way.js';
import { PgChainStateStore } from './pg-chain-state.store.js';
import { PgEpochsUnderWay } from './pg-epochs-under-way.js';
import { PgTransactionsStore } from './pg-transactions.store.js';
import { SettlementStop } from './settlement-stop.js';
import { TransactionsStore } from './transactions.store.js';

/**
 * Chain: what was sealed is posted, what can be claimed is claimed, and what the chain did is booked.
 *
 * Reads:    epochs, their leaves and attestations; the finalized chain, on two nodes' word.
 * Writes:   its own transactions, how far the chain has been read, ledger entries by way of settlement, what became of epochs.
 * Promises: nothing is signed twice while the first could land (G10); each move on chain is booked once (G9); a difference of one base
 *           unit stops settlement (G8); an outage of the chain stops no job.
 */
@Module({
  imports: [TrailModule, SettlementModule],
  controllers: [ChainController],
  providers: [
    { provide: ChainStateStore, useClass: PgChainStateStore },
    { provide: EpochsUnderWay, useClass: PgEpochsUnderWay },
    { provide: TransactionsStore, useClass: PgTransactionsStore },
    {
      provide: SettlementStop,
      useFactory: (store: ChainStateStore, db: Db, trail: TrailWriter, log: Logger) =>
        new SettlementStop(store, db, trail, log),
      inject: [ChainStateStore, Db, TrailWriter, LOGGER],
    },
    {
      provide: ChainTurns,
      useFactory: (clock: Clock, log: Logger) => new ChainTurns(clock, log),
      inject: [Clock, LOGGER],
    },
  ],
})
export class ChainModule implements OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly loops: Loops,
    private readonly books: ChainBooks,
    private readonly epochs: Epochs,
    private readonly trees: Trees,
    private readonly underWay: EpochsUnderWay,
    private readonly state: ChainStateStore,
    private readonly transactions: TransactionsStore,
    private readonly stop: SettlementStop,
    private readonly turns: ChainTurns,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Without a chain there is nothing to do. */
  async onModuleInit(): Promise<void> {
    const { chain, settlement } = this.config;
    if (chain === null || settlement === null) return;
    const { db, clock, log, books, epochs, trees, underWay, state, transactions, stop } = this;
    const doors = { db, clock, log, books, epochs, trees, underWay, state, transactions, stop };
    // Loaded here alone: a network without a chain needs none of Solana's libraries.
    const { chainParts } = await import('./chain-parts.js');
    const parts = chainParts(chain, settlement, doors);
    startChainLoops(parts, this.turns, this.loops, () => clock.monotonicMs(), log);
  }
}
