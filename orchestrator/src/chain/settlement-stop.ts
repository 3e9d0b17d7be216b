import type { Logger } from 'pino';
import type { Db, Tx } from '../platform/db/db.js';
import type { TrailWriter } from '../trail/trail.writer.js';
import type { ChainStateStore } from './chain-state.store.js';

/** Stops settlement when the ledger and the chain contradict each other, until people have looked: nothing more is posted or claimed. */
export class SettlementStop {
  constructor(
    private readonly store: ChainStateStore,
    private readonly db: Pick<Db, 'transaction'>,
    private readonly trail: Pick<TrailWriter, 'append'>,
    private readonly log: Logger,
  ) {}

  async isStopped(): Promise<boolean> {
    const { stopped } = await this.db.transaction((tx) => this.store.state(tx));
    return stopped !== null;
  }

  /** Takes effect at once and everywhere; the first reason stays. */
  async stop(why: string): Promise<void> {
    const isNew = await this.db.transaction(async (tx) => {
      if (!(await this.store.stop(tx, why))) return false;
      await this.say(tx, 'settlement.stopped', { why });
      return true;
    });
    if (isNew) this.log.error({ why }, 'settlement stopped');
  }

  /** Only a person lets it go on. False when it was not stopped. */
  resume(by: string): Promise<boolean> {
    return this.db.transaction(async (tx) => {
      if (!(await this.store.resume(tx))) return false;
      await this.say(tx, 'settlement.resumed', { by });
      return true;
    });
  }

  private say(tx: Tx, kind: string, body: Record<string, string>): Promise<void> {
    return this.trail.append(tx, [{ kind, subject: 'settlement', body }]);
  }
}
