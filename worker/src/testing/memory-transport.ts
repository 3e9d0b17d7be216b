import type { Link, Transport, TransportEvents } from '../link/transport.js';
import type { FakeOrchestrator } from './fake-orchestrator.js';

/** Connections that need no network: frames arrive in order, after the code that sent them has run. */
export class MemoryTransport implements Transport {
  /** Connections cannot be made. */
  isDown = false;
  opened = 0;
  private readonly live = new Set<(code: number, reason: string) => void>();

  constructor(private readonly orchestrator: FakeOrchestrator) {}

  open(events: TransportEvents): Link {
    this.opened += 1;
    let isOpen = !this.isDown;
    let peer: ReturnType<FakeOrchestrator['connect']> | null = null;
    const end = (code: number, reason: string): void => {
      if (!this.live.delete(end)) return;
      isOpen = false;
      queueMicrotask(() => {
        peer?.closed();
        events.closed(code, reason);
      });
    };
    this.live.add(end);
    queueMicrotask(() => {
      if (!isOpen) return end(1006, 'connection refused');
      events.opened();
      peer = this.orchestrator.connect({
        send: (frame) =>
          queueMicrotask(() => {
            if (isOpen) events.frame(frame);
          }),
        close: end,
      });
    });
    return {
      send(frame) {
        if (!isOpen) return false;
        queueMicrotask(() => {
          if (isOpen) peer?.frame(frame);
        });
        return true;
      },
      bufferedBytes: () => 0,
      close: end,
    };
  }

  /** Cuts every connection. */
  cut(): void {
    for (const end of this.live) end(1006, '');
  }
}
