/** Things that arrived and were not taken yet. */
export class Inbox<T> {
  private readonly items: T[] = [];
  private readonly waiting: (() => void)[] = [];

  push(item: T): void {
    this.items.push(item);
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** Takes everything that matches and is there now. */
  takeAll<S extends T>(matches: (item: T) => item is S): S[] {
    const found = this.items.filter(matches);
    for (const item of found) this.items.splice(this.items.indexOf(item), 1);
    return found;
  }

  /** Takes the first that matches as soon as it is there; fails with what was waited for when the deadline passes. */
  async take<S extends T>(
    what: string,
    matches: (item: T) => item is S,
    deadlineMs = 20_000,
  ): Promise<S> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const found = this.items.find(matches);
      if (found !== undefined) {
        this.items.splice(this.items.indexOf(found), 1);
        return found;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`after ${deadlineMs} ms still not: ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}
