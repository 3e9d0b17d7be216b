/** A small seeded generator (mulberry32): the same sequence on every machine. */
export class Draws {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  amount(limit: number): bigint {
    return BigInt(this.below(limit));
  }

  /** True once in so many. */
  oneIn(many: number): boolean {
    return this.below(many) === 0;
  }

  of<One>(all: readonly One[]): One {
    const one = all[this.below(all.length)];
    if (one === undefined) throw new RangeError('nothing to draw from');
    return one;
  }
}
