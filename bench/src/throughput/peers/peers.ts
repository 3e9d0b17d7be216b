import { openGraphileWorker } from './graphile-worker.js';
import { openPgBoss } from './pg-boss.js';
import type { PeerName } from './peer-names.js';
import type { PeerQueue } from './peer-queue.js';

/** How each peer is opened on a database of its own. */
export const PEERS: Readonly<Record<PeerName, (databaseUrl: string) => Promise<PeerQueue>>> = {
  'graphile-worker': openGraphileWorker,
  'pg-boss': openPgBoss,
};
