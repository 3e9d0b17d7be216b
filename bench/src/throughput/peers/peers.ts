import { openGraphileWorker } from './graphile-worker.js';
import { openPgBoss } from './pg-boss.js';

/** The peers, by the names of their packages. */
export const PEERS = { 'graphile-worker': openGraphileWorker, 'pg-boss': openPgBoss } as const;
export type PeerName = keyof typeof PEERS;
