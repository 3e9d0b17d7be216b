import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock.js';
import { ProblemError } from '../platform/http/problem.js';

const WINDOW_MS = 60_000;
/** Login messages that one network address may ask for in a minute: each is a row for that long. */
export const MAX_CHALLENGES_OF_ADDRESS = 600;
/** Most addresses counted at once; with more the oldest count is forgotten. */
const MAX_ADDRESSES = 20_000;

/** Keeps one network address from filling the table of login messages. Counts in this process only. */
@Injectable()
export class ChallengeBudget {
  private readonly windows = new Map<string, { readonly startedMs: number; count: number }>();

  constructor(private readonly clock: Clock) {}

  /** Takes one of the address's messages. @throws ProblemError RATE_LIMITED with the seconds to wait */
  spend(address: string): void {
    const nowMs = this.clock.monotonicMs();
    let window = this.windows.get(address);
    if (window === undefined || nowMs - window.startedMs >= WINDOW_MS) {
      window = { startedMs: nowMs, count: 0 };
      this.windows.delete(address);
      if (this.windows.size >= MAX_ADDRESSES)
        this.windows.delete(this.windows.keys().next().value ?? '');
      this.windows.set(address, window);
    }
    if (window.count >= MAX_CHALLENGES_OF_ADDRESS) {
      const retryAfterS = Math.ceil((window.startedMs + WINDOW_MS - nowMs) / 1_000);
      throw new ProblemError(
        'RATE_LIMITED',
        'Too many login messages were asked for from this address.',
        { retryAfterS },
      );
    }
    window.count += 1;
  }
}
