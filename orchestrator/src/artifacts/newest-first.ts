import type { Readable } from 'node:stream';

/** A newer sender of the same bytes took over. */
class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

interface Running {
  readonly source: Readable;
  readonly ended: Promise<unknown>;
}

/**
 * Runs one piece of work for a key at a time. A newer one ends the source of the one before and starts when that has
 * stopped: a dead connection, which nobody notices for minutes, holds nobody up.
 */
export class NewestFirst<Key> {
  private readonly running = new Map<Key, Running>();

  async run<T>(key: Key, source: Readable, work: () => Promise<T>): Promise<T> {
    const before = this.running.get(key);
    before?.source.destroy(new SupersededError('a newer sender took over'));
    const result = (before?.ended ?? Promise.resolve()).then(work);
    const mine: Running = { source, ended: result.catch(() => undefined) }; // the failure is `result`'s to tell
    this.running.set(key, mine);
    try {
      return await result;
    } finally {
      if (this.running.get(key) === mine) this.running.delete(key);
    }
  }
}
