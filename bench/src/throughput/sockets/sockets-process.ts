import { answer } from '../../child.js';
import { type BeatCount, type IdleSocket, openIdleSockets, type Target } from './idle-sockets.js';

/** Steps in which the beats of one interval are sent: as evenly as timers allow, like workers that know nothing of each other. */
const STEP_MS = 10;

const counts: BeatCount = { sent: 0, acknowledged: 0, lost: [] };
const sockets: IdleSocket[] = [];
let beating: NodeJS.Timeout | undefined;

const handlers = {
  open: (options: { target: Target; first: number; count: number }) =>
    openIdleSockets(options, sockets, counts),
  /** Lets every socket beat once in each interval, until the next call. */
  beatEvery: (intervalMs: number) => {
    clearInterval(beating);
    const startedAt = performance.now();
    let sent = 0;
    beating = setInterval(() => {
      // By the clock and not by the number of steps: a late timer sends what is due.
      const due = Math.floor(((performance.now() - startedAt) / intervalMs) * sockets.length);
      for (; sent < due; sent += 1) sockets[sent % sockets.length]?.beat();
    }, STEP_MS);
  },
  counts: (): BeatCount => counts,
  close: () => {
    clearInterval(beating);
    for (const socket of sockets) socket.close();
  },
};
export type SocketsProcess = typeof handlers;

answer(handlers);
