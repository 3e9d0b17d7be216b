import { setTimeout as sleep } from 'node:timers/promises';
import { encodeBase58 } from '@tidemill/protocol';
import { WebSocket } from 'ws';
import { profileOf } from '../harness/scripted-worker.js';
import { freshSigner } from '../harness/signer.js';
import { type FrameOf, loginFor } from '../harness/worker-socket.js';
import { frame, hostileAddress, rawSocket, type Target, UPGRADE } from './raw-socket.js';

/** How many connections an attack made, while it was told to go on. */
export type Attack = (target: Target, goOn: () => boolean) => Promise<number>;

/** An attack's hosts come one block after another, so that no limit of one stops another. */
const HOSTS_EACH = 64;
const HALF_OPEN = 500;
const NON_READERS = 200;
/** A moment for the other side, or a loop here would measure itself. */
const BREATH_MS = 10;

const TEXT = 1;
const CONTINUATION = 0;
const PING = 9;

const ATTACKS = {
  /** Connections that say nothing, half of a handshake, or one letter of it now and then. */
  halfOpen: async (target, goOn, host) => {
    const sockets = Array.from({ length: HALF_OPEN }, (_, i) => {
      const socket = rawSocket(target, host + (i % HOSTS_EACH));
      if (i % 3 > 0) socket.write(UPGRADE);
      return socket;
    });
    while (goOn()) {
      await sleep(500);
      for (const [i, socket] of sockets.entries())
        if (i % 3 === 2 && socket.writable) socket.write('x');
    }
    return sockets.length;
  },
  /** Handshakes whose other side never reads what it is sent. */
  nonReaders: async (target, _goOn, host) => {
    for (let i = 0; i < NON_READERS; i += 1) {
      rawSocket(target, host + (i % HOSTS_EACH))
        .pause()
        .write(`${UPGRADE}\r\n`);
      if (i % 10 === 9) await sleep(BREATH_MS);
    }
    return NON_READERS;
  },
  pings: (target, goOn, host) => flood(target, goOn, host, () => frame(PING, Buffer.alloc(100))),
  oneByteFrames: (target, goOn, host) =>
    flood(target, goOn, host, () => frame(TEXT, Buffer.of(0x78))),
  fragments: (target, goOn, host) =>
    flood(target, goOn, host, (n) =>
      frame(n === 0 ? TEXT : CONTINUATION, Buffer.of(0x5b), { fin: false }),
    ),
  binary: (target, goOn, host) => flood(target, goOn, host, () => frame(2, Buffer.alloc(60_000))),
  /** Frames that announce a terabyte, and whose length is not even a number. */
  oversize: (target, goOn, host) =>
    flood(target, goOn, host, (n) =>
      Buffer.concat([
        Buffer.of(0x81, 0xff),
        n % 2 === 0 ? Buffer.of(0, 0, 1, 0, 0, 0, 0, 0) : Buffer.alloc(8, 255),
        Buffer.alloc(4 + 1_000),
      ]),
    ),
  /** A frame that comes a byte at a time and is never whole. */
  dripping: async (target, goOn, host) => {
    const whole = frame(TEXT, Buffer.alloc(60_000, 0x20));
    const sockets = Array.from({ length: 30 }, (_, i) => {
      const socket = rawSocket(target, host + i).resume();
      socket.write(`${UPGRADE}\r\n`);
      return socket;
    });
    for (let at = 0; goOn(); at += 1) {
      await sleep(100);
      for (const socket of sockets) if (socket.writable) socket.write(whole.subarray(at, at + 1));
    }
    return sockets.length;
  },
  /** Upgrades that are none, reset before they can be answered. */
  badUpgrades: (target, goOn, host) =>
    repeat(goOn, async (n) => {
      const socket = rawSocket(target, host + (n % HOSTS_EACH));
      socket.write(
        'GET //[ HTTP/1.1\r\nHost: [\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        () => socket.resetAndDestroy(),
      );
      await sleep(BREATH_MS);
    }),
  /** Workers that log in with a key of their own, right or wrong, and leave at once. */
  logins: (target, goOn, host) =>
    lanes(4, (lane) =>
      repeat(goOn, async (n) => {
        const socket = open(target, host + lane, false);
        const challenge = await first(socket);
        if (challenge !== null) {
          const says = { profile: profileOf('hostile'), holding: [] };
          const login = loginFor(challenge, freshSigner(), says);
          const forged = { ...login, signature: encodeBase58(new Uint8Array(64).fill(n & 0xff)) };
          socket.send(JSON.stringify(n % 2 === 0 ? login : forged));
        }
        await sleep(BREATH_MS);
        socket.terminate();
      }),
    ),
  /** Peers that would have what they send unpacked. */
  deflate: (target, goOn, host) =>
    repeat(goOn, async (n) => {
      const socket = open(target, host + (n % HOSTS_EACH), true);
      await first(socket);
      if (socket.extensions !== '')
        throw new Error(`compression was agreed on: ${socket.extensions}`);
      if (socket.readyState === socket.OPEN) socket.send('['.repeat(100_000));
      await sleep(BREATH_MS);
    }),
} as const satisfies Record<string, (...with_: [...Parameters<Attack>, number]) => Promise<number>>;

/** Every attack by its name. */
export const attacks: readonly (readonly [string, Attack])[] = Object.entries(ATTACKS).map(
  ([name, attack], index) => [name, (target, goOn) => attack(target, goOn, index * HOSTS_EACH)],
);

/** Handshakes, each followed by as many frames as leave without waiting, ten connections at a time. */
async function flood(
  target: Target,
  goOn: () => boolean,
  host: number,
  next: (n: number) => Buffer,
): Promise<number> {
  return lanes(10, (lane) =>
    repeat(goOn, async (n) => {
      const socket = rawSocket(target, host + ((n * 10 + lane) % HOSTS_EACH)).resume();
      socket.write(`${UPGRADE}\r\n`);
      for (let i = 0; i < 2_000 && socket.writable; i += 1) {
        socket.write(next(i));
        if (i % 100 === 99) await sleep(1);
      }
      await sleep(200);
    }),
  );
}

/** So many of it side by side; how much it was in all. */
async function lanes(count: number, run: (lane: number) => Promise<number>): Promise<number> {
  const made = await Promise.all(Array.from({ length: count }, (_, lane) => run(lane)));
  return made.reduce((sum, one) => sum + one, 0);
}

async function repeat(goOn: () => boolean, once: (n: number) => Promise<void>): Promise<number> {
  let n = 0;
  for (; goOn(); n += 1) await once(n);
  return n;
}

function open({ port }: Target, host: number, perMessageDeflate: boolean): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/worker`, {
    localAddress: hostileAddress(host),
    perMessageDeflate,
    handshakeTimeout: 20_000,
  });
  return socket.on('error', () => undefined); // It is followed by the close.
}

/** The first frame, or null when the socket is closed before it. */
function first(socket: WebSocket): Promise<FrameOf<'challenge'> | null> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve(null));
    socket.once('message', (data: Buffer) =>
      resolve(JSON.parse(data.toString('utf8')) as FrameOf<'challenge'>),
    );
  });
}
