import { Connection, PublicKey } from '@solana/web3.js';
import {
  SettlementAddresses,
  SettlementInstructions,
  settlementProgram,
} from '@tidemill/settlement-client';
import type { Logger } from 'pino';
import type { ChainConfig, SettlementConfig } from '../config/env.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/db/db.js';
import type { ChainBooks } from '../settlement/chain-books.js';
import type { Epochs } from '../settlement/epochs.js';
import type { Trees } from '../settlement/trees.js';
import type { ChainParts } from './chain-loop.js';
import { ChainNodes } from './chain-nodes.js';
import type { ChainStateStore } from './chain-state.store.js';
import type { EpochsUnderWay } from './epochs-under-way.js';
import { NetworkAccount } from './network-account.js';
import { Observer } from './observer.js';
import { Poster } from './poster.js';
import { privateSigner } from './private-key-file.js';
import { Reconciler } from './reconciler.js';
import { Relayer } from './relayer.js';
import { RpcNode } from './rpc-node.js';
import { Sender } from './sender.js';
import type { SettlementStop } from './settlement-stop.js';
import type { TransactionsStore } from './transactions.store.js';

/** Three of four recent transactions got in for less or as much. */
const FEE_PERCENTILE = 75;

/** What the rest of the orchestrator gives to the stage. */
export interface ChainDoors {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Logger;
  readonly books: ChainBooks;
  readonly epochs: Epochs;
  readonly trees: Trees;
  readonly underWay: EpochsUnderWay;
  readonly state: ChainStateStore;
  readonly transactions: TransactionsStore;
  readonly stop: SettlementStop;
}

/** Puts the stage together for one network of one cluster. Asks nobody yet. @throws Error for a key file that others can read */
export function chainParts(
  chain: ChainConfig,
  settlement: SettlementConfig,
  { db, clock, log, books, epochs, trees, underWay, state, transactions, stop }: ChainDoors,
): ChainParts {
  const [first = ''] = chain.rpcUrls;
  const nodes = new ChainNodes(
    chain.rpcUrls.map((url) => new RpcNode(url)),
    chain.genesisHash,
    log,
  );
  const programId = new PublicKey(settlement.program);
  // Anchor builds and reads with it; what is asked goes by way of the nodes.
  const program = settlementProgram(programId, new Connection(first));
  const addresses = new SettlementAddresses(programId, new PublicKey(settlement.network));
  const build = new SettlementInstructions(program, addresses);
  const account = new NetworkAccount(nodes, program, addresses);
  const fees = { percentile: FEE_PERCENTILE, floor: 0, ceiling: chain.feeCeiling };
  const sender = new Sender(transactions, nodes, fees, clock, log);
  const observer = new Observer(nodes, program, addresses, state, books, db);
  const poster = new Poster(
    privateSigner(chain.authorityKeyFile),
    settlement.threshold,
    account,
    build,
    sender,
    epochs,
    underWay,
    stop,
    db,
    log,
  );
  const relayer = new Relayer(
    privateSigner(chain.relayerKeyFile),
    { claimFloor: chain.claimFloor, openFloor: chain.accountFloor },
    nodes,
    account,
    build,
    sender,
    trees,
    state,
    stop,
    db,
    log,
  );
  const reconciler = new Reconciler(account, books, state, observer, stop, db, log);
  return { sender, poster, observer, relayer, reconciler, stop };
}
