import type { Progress } from './happening.js';

/**
 * Whether progress is progress: executions that only check a result report their steps too, and a bar that jumps back tells
 * nobody anything. When an attempt is lost, the job really does fall back.
 */
export class FurthestProgress {
  private step = -1;

  isAhead({ step }: Pick<Progress, 'step'>): boolean {
    if (step < this.step) return false;
    this.step = step;
    return true;
  }

  fallBack(): void {
    this.step = -1;
  }
}
