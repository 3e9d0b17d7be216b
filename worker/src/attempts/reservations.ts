import type { Resources } from '@tidemill/protocol';

const KINDS = ['gpuMilli', 'vramMib', 'cpuMilli', 'memoryMib', 'diskMib'] as const;

/** What this worker lends out, and what of it is taken. */
export class Reservations {
  private readonly taken = { gpuMilli: 0, vramMib: 0, cpuMilli: 0, memoryMib: 0, diskMib: 0 };
  private used = 0;

  constructor(
    private readonly offered: Resources,
    private readonly slots: number,
  ) {}

  /** Whether this worker could ever run it. */
  couldFit(needs: Resources): boolean {
    return KINDS.every((kind) => needs[kind] <= this.offered[kind]);
  }

  /** Takes a slot and the resources, all or nothing. */
  take(needs: Resources): boolean {
    const fits = KINDS.every((kind) => this.taken[kind] + needs[kind] <= this.offered[kind]);
    if (this.used >= this.slots || !fits) return false;
    for (const kind of KINDS) this.taken[kind] += needs[kind];
    this.used += 1;
    return true;
  }

  /** Gives back what one successful `take` of the same needs took. */
  release(needs: Resources): void {
    for (const kind of KINDS) this.taken[kind] -= needs[kind];
    this.used -= 1;
  }

  get free(): Resources {
    return {
      gpuMilli: this.offered.gpuMilli - this.taken.gpuMilli,
      vramMib: this.offered.vramMib - this.taken.vramMib,
      cpuMilli: this.offered.cpuMilli - this.taken.cpuMilli,
      memoryMib: this.offered.memoryMib - this.taken.memoryMib,
      diskMib: this.offered.diskMib - this.taken.diskMib,
    };
  }

  get freeSlots(): number {
    return this.slots - this.used;
  }
}
