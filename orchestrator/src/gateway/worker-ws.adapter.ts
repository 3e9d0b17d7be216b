import { WsAdapter } from '@nestjs/platform-ws';

/**
 * The ws adapter without Nest's own reading of frames: the gateway listens to the sockets itself, since frames are strangers' text
 * that is scanned before it is parsed, and an observable for every frame costs more than the frame.
 */
export class WorkerWsAdapter extends WsAdapter {
  override bindMessageHandlers(): void {
    // Frames are read by the gateway.
  }
}
