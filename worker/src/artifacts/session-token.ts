/** The bearer token of the present session; a transfer that starts between two sessions waits for the next one. */
export class SessionToken {
  private token: string | null = null;
  private readonly waiting = new Set<(token: string) => void>();

  /** A session began. */
  set(token: string): void {
    this.token = token;
    for (const resolve of this.waiting) resolve(token);
    this.waiting.clear();
  }

  /** The session ended; its token is not sent again. */
  clear(): void {
    this.token = null;
  }

  current(signal: AbortSignal): Promise<string> {
    if (this.token !== null) return Promise.resolve(this.token);
    return new Promise((resolve, reject) => {
      const settle = (token: string): void => {
        signal.removeEventListener('abort', stop);
        resolve(token);
      };
      const stop = (): void => {
        this.waiting.delete(settle);
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      };
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      this.waiting.add(settle);
    });
  }
}
