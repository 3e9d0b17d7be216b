import { Injectable } from '@nestjs/common';
import { ProblemError } from '../platform/http/problem.js';
import type { Usage } from './grants.store.js';
import { ArtifactLimits } from './limits.js';
import type { Keeper } from './owner.js';

/** Counts one stream against its owner's room. */
export interface Arrival {
  /** Lets this many more bytes in. @throws ProblemError QUOTA_EXCEEDED */
  take(bytes: number): void;
  end(): void;
}

/**
 * What an owner may store. Bytes on their way are counted too: otherwise many streams at once, each within the quota, could
 * fill the disk before the first is booked. On their way is counted in this process; the booking is what decides.
 */
@Injectable()
export class Quota {
  private readonly arriving = new Map<string, number>();

  constructor(private readonly limits: ArtifactLimits) {}

  /** @throws ProblemError QUOTA_EXCEEDED when `bytes` more do not fit */
  check(owner: Keeper, { storedBytes, reservedBytes }: Usage, bytes: number): void {
    const quota = this.of(owner);
    const used = storedBytes + reservedBytes + (this.arriving.get(name(owner)) ?? 0);
    if (used + bytes > quota) {
      throw new ProblemError(
        'QUOTA_EXCEEDED',
        `${used} of ${quota} bytes are used, and ${bytes} more are needed.`,
      );
    }
  }

  /** Begins a stream that has declared its length, or 0 when it did not say. @throws ProblemError QUOTA_EXCEEDED */
  begin(owner: Keeper, usage: Usage, declaredBytes: number): Arrival {
    this.check(owner, usage, declaredBytes);
    let counted = declaredBytes;
    let received = 0;
    this.count(owner, declaredBytes);
    return {
      take: (bytes) => {
        received += bytes;
        const beyond = received - counted;
        if (beyond <= 0) return;
        this.check(owner, usage, beyond);
        this.count(owner, beyond);
        counted = received;
      },
      end: () => {
        this.count(owner, -counted);
        counted = 0;
      },
    };
  }

  private of(owner: Keeper): number {
    return owner.kind === 'account' ? this.limits.accountBytes : this.limits.workerBytes;
  }

  private count(owner: Keeper, bytes: number): void {
    const total = (this.arriving.get(name(owner)) ?? 0) + bytes;
    if (total === 0) this.arriving.delete(name(owner));
    else this.arriving.set(name(owner), total);
  }
}

const name = ({ kind, id }: Keeper): string => `${kind} ${id}`;
