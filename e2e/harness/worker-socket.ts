import {
  encodeBase58,
  type FromOrchestrator,
  type FromWorker,
  loginText,
  PROTOCOL_VERSIONS,
  utf8ToBytes,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { type ClientOptions, WebSocket } from 'ws';
import { Inbox } from './inbox.js';
import type { Door } from './orchestrator.js';

export type FrameOf<Type extends FromOrchestrator['type']> = Extract<
  FromOrchestrator,
  { type: Type }
>;
export type Login = Extract<FromWorker, { type: 'login' }>;

export interface Closed {
  readonly code: number;
  readonly reason: string;
  /** How long the socket was open. */
  readonly afterMs: number;
}

let addresses = 0;

/** One after another of the loopback addresses: what is counted per address does not add up over a file. */
function nextAddress(): string {
  addresses += 1;
  return `127.0.${1 + (addresses >> 7)}.${1 + (addresses & 127)}`;
}

/** A real socket at the door of workers, which keeps to no rule by itself. */
export class WorkerSocket {
  readonly inbox = new Inbox<FromOrchestrator>();
  readonly closed: Promise<Closed>;
  /** Takes frames instead of the inbox while it returns true. */
  onFrame: (frame: FromOrchestrator) => boolean = () => false;

  private constructor(readonly socket: WebSocket) {
    const openedMs = performance.now();
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as FromOrchestrator;
      if (!this.onFrame(frame)) this.inbox.push(frame);
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) =>
        resolve({ code, reason: reason.toString(), afterMs: performance.now() - openedMs }),
      );
    });
    socket.on('error', () => undefined); // It is followed by the close.
  }

  /** Connects from an address of its own unless one is named. */
  static async open(orchestrator: Door, options: ClientOptions = {}): Promise<WorkerSocket> {
    const url = `${orchestrator.url.replace('http', 'ws')}/v1/worker`;
    const socket = new WebSocket(url, {
      localAddress: nextAddress(),
      perMessageDeflate: false,
      handshakeTimeout: 20_000,
      ...options,
    });
    const opened = new WorkerSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return opened;
  }

  take<Type extends FromOrchestrator['type']>(
    type: Type,
    deadlineMs?: number,
  ): Promise<FrameOf<Type>> {
    const matches = (frame: FromOrchestrator): frame is FrameOf<Type> => frame.type === type;
    return this.inbox.take(`a frame ${type}`, matches, deadlineMs);
  }

  /** Sends a message as it is, whatever its session and number are. */
  send(message: FromWorker): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Ends without a goodbye, like a cable that is pulled. */
  drop(): void {
    this.socket.terminate();
  }
}

/** The login that answers a challenge. */
export function loginFor(
  challenge: FrameOf<'challenge'>,
  signer: Signer,
  says: Pick<Login, 'profile' | 'holding'>,
): Login {
  const { audience, network, nonce, issuedAt, expiresAt } = challenge;
  const publicKey = signer.address;
  const text = loginText({
    purpose: 'worker',
    audience,
    network,
    publicKey,
    nonce,
    issuedAt,
    expiresAt,
  });
  return {
    type: 'login',
    versions: [...PROTOCOL_VERSIONS],
    publicKey,
    nonce,
    signature: encodeBase58(signer.sign(utf8ToBytes(text))),
    ...says,
  };
}
