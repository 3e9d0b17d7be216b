import {
  encodeBase58,
  type FromOrchestrator,
  type FromWorker,
  loginText,
  PROTOCOL_VERSIONS,
  type SessionId,
  utf8ToBytes,
  type WorkerId,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { WebSocket } from 'ws';
import { freshSigner } from '../../keys.js';
import { type OrchestratorAddress, workerSocketUrl } from './orchestrator-address.js';
import { workerProfile } from './worker-profile.js';

type Challenge = Extract<FromOrchestrator, { type: 'challenge' }>;
type InSession = Exclude<FromWorker, { type: 'login' }>;
/** A message without what the session adds to it. */
type Outgoing = InSession extends infer Message
  ? Message extends InSession
    ? Omit<Message, 'session' | 'seq'>
    : never
  : never;

/** A worker that has logged in with a key of its own over a socket of its own. */
export interface WorkerSession {
  readonly id: WorkerId;
  readonly signer: Signer;
  send(message: Outgoing): void;
  close(): void;
}

export interface SessionOptions {
  readonly orchestrator: OrchestratorAddress;
  readonly name: string;
  readonly localAddress: string;
  /** Takes every message after the login. */
  readonly onMessage: (message: FromOrchestrator, session: WorkerSession) => void;
  /** Called when the connection ends though nobody here closed it. */
  readonly onLost: (why: string) => void;
}

/** Connects and logs in by the worker protocol. Rejects when the orchestrator closes the connection first. */
export function openWorkerSession(options: SessionOptions): Promise<WorkerSession> {
  const signer = freshSigner();
  const socket = new WebSocket(workerSocketUrl(options.orchestrator), {
    localAddress: options.localAddress,
    perMessageDeflate: false,
    handshakeTimeout: 20_000,
  });
  return new Promise((resolve, reject) => {
    let session: WorkerSession | undefined;
    let isClosing = false;
    socket.on('message', (data: Buffer) => {
      // Frames of our own orchestrator: a worker's checks of them are not what is measured here.
      const message = JSON.parse(data.toString('utf8')) as FromOrchestrator;
      if (session !== undefined) options.onMessage(message, session);
      else if (message.type === 'challenge')
        socket.send(JSON.stringify(login(message, signer, options)));
      else if (message.type === 'welcome') {
        session = {
          id: message.workerId,
          signer,
          send: numbered(message.session, (frame) => socket.send(frame)),
          close: () => {
            isClosing = true;
            socket.close(1000);
          },
        };
        resolve(session);
      }
    });
    let failure = '';
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', (code, reason) => {
      const why = `${options.name}: closed with ${code} ${reason.toString() || failure}`;
      reject(new Error(why));
      if (session !== undefined && !isClosing) options.onLost(why);
    });
  });
}

/** Puts the session and a rising number on every message. */
function numbered(session: SessionId, send: (frame: string) => void): (message: Outgoing) => void {
  let seq = 0;
  return (message) => send(JSON.stringify({ ...message, session, seq: (seq += 1) }));
}

function login(challenge: Challenge, signer: Signer, options: SessionOptions): FromWorker {
  const { audience, network } = options.orchestrator;
  if (challenge.audience !== audience || challenge.network !== network) {
    throw new Error(`challenged for ${challenge.audience} on ${challenge.network}`);
  }
  const text = loginText({ ...challenge, purpose: 'worker', publicKey: signer.address });
  return {
    type: 'login',
    versions: [...PROTOCOL_VERSIONS],
    publicKey: signer.address,
    nonce: challenge.nonce,
    signature: encodeBase58(signer.sign(utf8ToBytes(text))),
    profile: workerProfile(options.name),
    holding: [],
  };
}
