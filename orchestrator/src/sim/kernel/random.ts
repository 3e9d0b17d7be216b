/** Seeded randomness (sfc32): the same seed and name give the same numbers, whatever other streams are used for. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number, stream: string) {
    let mixed = seed >>> 0;
    for (let i = 0; i < stream.length; i += 1)
      mixed = Math.imul(mixed ^ stream.charCodeAt(i), 0x01000193) >>> 0;
    this.a = seed >>> 0;
    this.b = mixed;
    this.c = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 0;
    for (let i = 0; i < 12; i += 1) this.word();
  }

  /** From 0 up to but not including 1. */
  readonly next = (): number => this.word() / 0x1_0000_0000;

  /** A whole number from 0 up to but not including `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  chance(rate: number): boolean {
    return rate > 0 && this.next() < rate;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T; // callers have at least one
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i += 1) bytes[i] = this.word() & 0xff;
    return bytes;
  }

  private word(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    return sum >>> 0;
  }
}
