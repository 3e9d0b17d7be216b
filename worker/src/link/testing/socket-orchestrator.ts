import { MAX_FRAME_BYTES } from '@tidemill/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { FakeOrchestrator } from '../../testing/fake-orchestrator.js';

export interface SocketOrchestrator {
  readonly orchestrator: FakeOrchestrator;
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Breaks every connection without a farewell. */
  cut(): void;
  close(): Promise<void>;
}

/** The fake orchestrator behind a real socket on this machine. */
export async function startSocketOrchestrator(port = 0): Promise<SocketOrchestrator> {
  const orchestrator = new FakeOrchestrator();
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port,
    path: '/v1/worker',
    maxPayload: MAX_FRAME_BYTES,
  });
  server.on('connection', (socket) => serve(orchestrator, socket));
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a network address');
  orchestrator.audience = `127.0.0.1:${address.port}`;
  const cut = (): void => {
    for (const socket of server.clients) socket.terminate();
  };
  return {
    orchestrator,
    host: orchestrator.audience,
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(orchestrator: FakeOrchestrator, socket: WebSocket): void {
  const worker = orchestrator.connect({
    send: (frame) => socket.send(frame),
    close: (code, reason) => socket.close(code, reason),
  });
  socket.on('message', (data) => worker.frame((data as Buffer).toString('utf8'))); // ws gives buffers by default
  socket.on('close', () => worker.closed());
}
