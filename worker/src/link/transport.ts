/** What a connection tells its owner. `closed` comes exactly once, and nothing after it. */
export interface TransportEvents {
  opened(): void;
  frame(text: string): void;
  closed(code: number, reason: string): void;
}

/** One connection to the orchestrator. */
export interface Link {
  /** Hands a frame to the network; false when the connection is no longer open. */
  send(frame: string): boolean;
  /** Bytes accepted by `send` that the network has not taken yet. */
  bufferedBytes(): number;
  /** Closes with a code; `closed` follows, at the latest after a few seconds. */
  close(code: number, reason: string): void;
}

/** Opens connections. A connection that cannot be made is one that closes without having opened; retrying is the caller's. */
export interface Transport {
  open(events: TransportEvents): Link;
}
