import { WebSocket } from 'ws';
import { loopbackAddress } from '../../loopback.js';
import { each } from '../each.js';
import type { OrchestratorAddress } from '../workers/orchestrator-address.js';
import { openWorkerSession } from '../workers/worker-session.js';

/** Connections at once while they are made. */
const CONNECTS_AT_ONCE = 16;

/** A connection that only ever says that it is alive. */
export interface IdleSocket {
  beat(): void;
  close(): void;
}

/** What the sockets of one process have sent and heard since they were opened. */
export interface BeatCount {
  sent: number;
  acknowledged: number;
  lost: string[];
}

/** Where to connect: to the bare server, or as a worker that logs in first. */
export type Target =
  | { readonly kind: 'ws'; readonly url: string }
  | { readonly kind: 'orchestrator'; readonly orchestrator: OrchestratorAddress };

/** Opens so many sockets, the first of them with number `first`, and adds each to `sockets` when it is ready. */
export async function openIdleSockets(
  {
    target,
    first,
    count,
  }: { readonly target: Target; readonly first: number; readonly count: number },
  sockets: IdleSocket[],
  counts: BeatCount,
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  await each(numbers, CONNECTS_AT_ONCE, async (number) => {
    sockets.push(
      target.kind === 'ws'
        ? await bare(target.url, number, counts)
        : await worker(target, number, counts),
    );
  });
}

/** Says as much as a worker does, without having logged in. */
function bare(url: string, number: number, counts: BeatCount): Promise<IdleSocket> {
  const socket = new WebSocket(url, {
    localAddress: loopbackAddress(number),
    perMessageDeflate: false,
  });
  const session = 'ses_00000000000000000000000000';
  let seq = 0;
  socket.on('message', (data: Buffer) => {
    if ((JSON.parse(data.toString('utf8')) as { type: string }).type === 'heartbeat.ack')
      counts.acknowledged += 1;
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => counts.lost.push(`${number}: ${code}`));
    socket.on('open', () =>
      resolve({
        beat: () => {
          counts.sent += 1;
          socket.send(
            JSON.stringify({ type: 'heartbeat', session, seq: (seq += 1), attempts: [] }),
          );
        },
        close: () => socket.terminate(),
      }),
    );
  });
}

async function worker(
  { orchestrator }: Extract<Target, { kind: 'orchestrator' }>,
  number: number,
  counts: BeatCount,
): Promise<IdleSocket> {
  const session = await openWorkerSession({
    orchestrator,
    name: `idle-${number}`,
    localAddress: loopbackAddress(number),
    onMessage: (message) => {
      if (message.type === 'heartbeat.ack') counts.acknowledged += 1;
    },
    onLost: (why) => counts.lost.push(why),
  });
  return {
    beat: () => {
      counts.sent += 1;
      session.send({ type: 'heartbeat', attempts: [] });
    },
    close: () => session.close(),
  };
}
