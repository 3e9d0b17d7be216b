import { answer } from '../../child.js';
import type { PeerQueue } from './peer-queue.js';
import type { PeerName } from './peer-names.js';
import { PEERS } from './peers.js';

let queue: PeerQueue | undefined;
function opened(): PeerQueue {
  if (queue === undefined) throw new Error('no queue was opened');
  return queue;
}

const handlers = {
  open: async ({ peer, url }: { peer: PeerName; url: string }) => {
    queue = await PEERS[peer](url);
  },
  enqueue: (jobs: number) => opened().enqueue(jobs),
  run: (jobs: number) => opened().run(jobs),
  close: () => opened().close(),
};
export type PeerProcess = typeof handlers;

answer(handlers);
