import { WsAdapter } from '@nestjs/platform-ws';
import type { WebSocketServer } from 'ws';

/**
 * The ws adapter without Nest's own reading of frames: the gateway listens to the sockets itself, since frames are strangers' text
 * that is scanned before it is parsed, and an observable for every frame costs more than the frame.
 */
export class WorkerWsAdapter extends WsAdapter {
  /** A stranger's broken frame is no error of ours, and must not fill the log: the gateway hears sockets' errors itself. */
  override bindErrorHandler(server: WebSocketServer): WebSocketServer {
    return server.on('error', (cause) => this.logger.error(cause));
  }

  override bindMessageHandlers(): void {
    // Frames are read by the gateway.
  }
}
