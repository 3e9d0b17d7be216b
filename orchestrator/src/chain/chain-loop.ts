import type { Logger } from 'pino';
import type { Loops } from '../platform/loop.js';
import type { ChainTurns } from './chain-turns.js';
import { ContradictionError } from './contradiction.js';
import type { Observer } from './observer.js';
import type { Poster } from './poster.js';
import type { Reconciler } from './reconciler.js';
import type { Relayer } from './relayer.js';
import type { Sender } from './sender.js';
import type { SettlementStop } from './settlement-stop.js';

const SEND_EVERY_MS = 1_000;
const POST_EVERY_MS = 2_000;
const OBSERVE_EVERY_MS = 1_000;
const RELAY_EVERY_MS = 5_000;
/** How often it is looked whether it is time, and after how long it is. */
const RECONCILE_EVERY_MS = 2_000;
const RECONCILE_AFTER_MS = 10 * 60_000;

/** What is done on chain, over and over. */
export interface ChainParts {
  readonly sender: Sender;
  readonly poster: Poster;
  readonly observer: Observer;
  readonly relayer: Relayer;
  readonly reconciler: Reconciler;
  readonly stop: SettlementStop;
}

/** The stage's own clock. Its loops fail alone: nothing in the road of a job waits for the chain. */
export function startChainLoops(
  { sender, poster, observer, relayer, reconciler, stop }: ChainParts,
  turns: ChainTurns,
  loops: Loops,
  nowMs: () => number,
  log: Logger,
): void {
  let reconciledMs = -Infinity;
  let reconciledAfter: bigint | null = null;
  const observe = async (): Promise<boolean> => {
    try {
      return await observer.turn();
    } catch (cause) {
      if (cause instanceof ContradictionError) await stop.stop(cause.message);
      throw cause;
    }
  };
  const reconcile = async (): Promise<void> => {
    const final = await poster.lastFinal();
    const isDue = final !== reconciledAfter || nowMs() - reconciledMs >= RECONCILE_AFTER_MS;
    if (!isDue || !(await reconciler.turn())) return;
    reconciledMs = nowMs();
    reconciledAfter = final;
    log.info({ epoch: final === null ? null : Number(final) }, 'ledger and chain compared');
  };
  loops.add(turns.loop('chain.send', SEND_EVERY_MS, () => sender.turn()));
  loops.add(turns.loop('chain.post', POST_EVERY_MS, () => poster.turn()));
  loops.add(turns.loop('chain.observe', OBSERVE_EVERY_MS, observe));
  loops.add(turns.loop('chain.relay', RELAY_EVERY_MS, () => relayer.turn()));
  loops.add(turns.loop('chain.reconcile', RECONCILE_EVERY_MS, reconcile));
}
