/**
 * Gathers single items into batches: when nothing runs, the first item starts a batch at once; what arrives meanwhile is the next.
 * So an idle system answers immediately, and a busy one pays for a commit once per batch.
 */
export class Batcher<Item, Result> {
  private readonly waiting: {
    readonly item: Item;
    readonly settle: PromiseWithResolversOf<Result>;
  }[] = [];
  private running = false;

  /** `process` gives one result an item, in their order; when it fails all items of the batch fail. */
  constructor(
    private readonly process: (items: Item[]) => Promise<Result[]>,
    private readonly max: number,
  ) {}

  add(item: Item): Promise<Result> {
    const settle = withResolvers<Result>();
    this.waiting.push({ item, settle });
    if (!this.running) {
      this.running = true;
      setImmediate(() => void this.drain());
    }
    return settle.promise;
  }

  get size(): number {
    return this.waiting.length;
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.max);
      try {
        const results = await this.process(batch.map(({ item }) => item));
        batch.forEach(({ settle }, i) => settle.resolve(results[i] as Result)); // one result an item is the contract
      } catch (cause) {
        for (const { settle } of batch) settle.reject(cause);
      }
    }
    this.running = false;
  }
}

interface PromiseWithResolversOf<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (cause: unknown) => void;
}

function withResolvers<T>(): PromiseWithResolversOf<T> {
  let resolve!: (value: T) => void; // set by the executor, which runs at once
  let reject!: (cause: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
