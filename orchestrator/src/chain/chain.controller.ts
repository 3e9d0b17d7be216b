import { Controller } from '@nestjs/common';
import type { ChainStateView } from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Db } from '../platform/db/db.js';
import { accountOf } from '../platform/http/caller.js';
import { Input, type InputOf, Operation } from '../platform/http/operation.js';
import { ProblemError } from '../platform/http/problem.js';
import { ChainStateStore } from './chain-state.store.js';
import { ChainTurns } from './chain-turns.js';
import { SettlementStop } from './settlement-stop.js';
import { TransactionsStore } from './transactions.store.js';

/** As many as the sender looks after at once. */
const MAX_SHOWN = 256;

/** How payment on chain stands, and the switch that only a person turns back. */
@Controller()
export class ChainController {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly state: ChainStateStore,
    private readonly transactions: TransactionsStore,
    private readonly turns: ChainTurns,
    private readonly stop: SettlementStop,
  ) {}

  @Operation('getChainState')
  async get(): Promise<ChainStateView> {
    const { stopped, reconciledAt, reconciledSlot, cursor } = await this.state.state(this.db);
    const live = await this.transactions.live(MAX_SHOWN);
    return {
      enabled: this.config.chain !== null,
      stopped: stopped === null ? null : { at: stopped.at.toISOString(), why: stopped.why },
      reconciled:
        reconciledAt === null || reconciledSlot === null
          ? null
          : { at: reconciledAt.toISOString(), slot: Number(reconciledSlot) },
      cursor: cursor === null ? null : { signature: cursor.signature, slot: Number(cursor.slot) },
      underWay: live.map(({ purpose, signature, lastValidHeight }) => ({
        purpose,
        signature,
        lastValidHeight: Number(lastValidHeight),
      })),
      failing: this.turns.failures().map(({ name, since, failures, error }) => ({
        loop: name,
        since: since.toISOString(),
        failures,
        error,
      })),
    };
  }

  @Operation('resumeSettlement')
  async resume(@Input() { caller }: InputOf<'resumeSettlement'>): Promise<ChainStateView> {
    if (!(await this.stop.resume(accountOf(caller).wallet)))
      throw new ProblemError('CONFLICT', 'Settlement is not stopped.');
    return this.get();
  }
}
