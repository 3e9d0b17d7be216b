interface Bucket {
  tokens: number;
  filledMs: number;
}

/** How much one name may do: `perSecond` for ever, and `burst` at once after a quiet time. */
export interface Allowance {
  readonly perSecond: number;
  readonly burst: number;
}

/** Most names counted at once: about 10 MB. With more, whoever asked least recently is forgotten, and so has a full bucket again. */
const MAX_NAMES = 50_000;

/** One token bucket for each name, in this process. Times are a monotonic clock's milliseconds. */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly allowance: Allowance,
    private readonly maxNames = MAX_NAMES,
  ) {}

  /** Takes a token: 0 when there was one, or the milliseconds until the next is there. */
  take(name: string, nowMs: number): number {
    const bucket = this.filled(name, nowMs);
    if (bucket.tokens < 1) return ((1 - bucket.tokens) / this.allowance.perSecond) * 1_000;
    bucket.tokens -= 1;
    return 0;
  }

  /** Gives a token back that was taken for what someone else pays for. */
  giveBack(name: string): void {
    const bucket = this.buckets.get(name);
    if (bucket !== undefined) bucket.tokens = Math.min(this.allowance.burst, bucket.tokens + 1);
  }

  private filled(name: string, nowMs: number): Bucket {
    const { perSecond, burst } = this.allowance;
    const known = this.buckets.get(name);
    const bucket = known ?? { tokens: burst, filledMs: nowMs };
    const passedMs = Math.max(0, nowMs - bucket.filledMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (passedMs / 1_000) * perSecond);
    bucket.filledMs = nowMs;
    // The map keeps the order of insertion, so this one is now the most recent.
    if (known !== undefined) this.buckets.delete(name);
    else if (this.buckets.size >= this.maxNames)
      this.buckets.delete(this.buckets.keys().next().value ?? '');
    this.buckets.set(name, bucket);
    return bucket;
  }
}
