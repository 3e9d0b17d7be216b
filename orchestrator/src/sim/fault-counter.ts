import type { Faults } from './scenario.js';

export type FaultName = Exclude<keyof Faults, 'lateMs' | 'pauseMs' | 'slowMs'>;

/** How often what went wrong. */
export class FaultCounter {
  readonly counts = new Map<FaultName, number>();

  note(name: FaultName): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
