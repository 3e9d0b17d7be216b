import { type Child, startChild } from '../../child.js';
import type { BeatCount, Target } from './idle-sockets.js';
import type { SocketsProcess } from './sockets-process.js';

/** Processes that hold the client ends of many sockets: one could not keep up with a server at its limit. */
const PROCESSES = 2;
/** What workers do; while they wait for their measurement the sockets do it too, or they would be closed as silent. */
const IDLE_BEAT_MS = 5_000;

/** The client ends of the sockets of one server. */
export interface Beaters {
  beatEvery(intervalMs: number): Promise<void>;
  idle(): Promise<void>;
  counts(): Promise<BeatCount>;
}

/** Runs `work` with so many sockets open to a server. */
export async function withBeaters<T>(
  { target, sockets }: { readonly target: Target; readonly sockets: number },
  work: (beaters: Beaters) => Promise<T>,
): Promise<T> {
  const children: Child<SocketsProcess>[] = [];
  const all = <R>(ask: (child: Child<SocketsProcess>, index: number) => Promise<R>) =>
    Promise.all(children.map(ask));
  try {
    for (let i = 0; i < PROCESSES; i += 1) {
      children.push(
        await startChild<SocketsProcess>(new URL('./sockets-process.js', import.meta.url)),
      );
    }
    const beatEvery = async (intervalMs: number) => {
      await all((child) => child.call('beatEvery', intervalMs));
    };
    const share = Math.ceil(sockets / PROCESSES);
    await beatEvery(IDLE_BEAT_MS);
    await all((child, i) =>
      child.call('open', { target, first: i * share, count: Math.min(share, sockets - i * share) }),
    );
    return await work({
      beatEvery,
      idle: () => beatEvery(IDLE_BEAT_MS),
      counts: async () => {
        const counts = await all((child) => child.call('counts', undefined));
        return {
          sent: counts.reduce((sum, { sent }) => sum + sent, 0),
          acknowledged: counts.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
          lost: counts.flatMap(({ lost }) => lost),
        };
      },
    });
  } finally {
    await all((child) => child.stop());
  }
}
