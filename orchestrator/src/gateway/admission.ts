import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock.js';
import { TokenBuckets } from '../platform/limits/token-buckets.js';
import type { Session } from './session.js';

/** Sockets of one network; a site with more machines uses more than one. */
const MAX_PER_NETWORK = 32;
/** Sockets that may be without a login at once: a network of that size comes back within a second or two of a restart. */
const MAX_WAITING = 1_024;
/**
 * New sockets of one network: all of a site's workers at once after a restart, and again soon; a worker that is sent away tries again
 * about once in 4 s. A login costs a signature check and a transaction, so a storm of them is bounded here.
 */
const CONNECTS = { perSecond: 8, burst: 3 * MAX_PER_NETWORK };

/** Why a socket is not let in. */
export type Refusal = 'tooMany' | 'tooFast';

/** Which sockets may come in, before anything is known of them but where they come from (G20). */
@Injectable()
export class Admission {
  private readonly perNetwork = new Map<string, number>();
  private readonly connects = new TokenBuckets(CONNECTS);
  /** In the order in which they came. */
  private readonly waiting = new Set<Session>();

  constructor(private readonly clock: Clock) {}

  /** Counts a new socket; says why when it may not come in. */
  admit(network: string): Refusal | null {
    if (this.connects.take(network, this.clock.monotonicMs()) > 0) return 'tooFast';
    const open = this.perNetwork.get(network) ?? 0;
    if (open >= MAX_PER_NETWORK) return 'tooMany';
    this.perNetwork.set(network, open + 1);
    return null;
  }

  /** A socket that was let in has closed. */
  release(network: string): void {
    const open = (this.perNetwork.get(network) ?? 1) - 1;
    if (open === 0) this.perNetwork.delete(network);
    else this.perNetwork.set(network, open);
  }

  /**
   * A socket waits for its login. When too many do, the one that has waited longest makes room and is returned: an honest worker
   * answers within a round trip, so whoever has waited longest is the least likely to be one.
   */
  waits(session: Session): Session | null {
    this.waiting.add(session);
    if (this.waiting.size <= MAX_WAITING) return null;
    const [oldest = null] = this.waiting;
    if (oldest !== null) this.waiting.delete(oldest);
    return oldest;
  }

  /** It has logged in, or is closed. */
  waitsNoMore(session: Session): void {
    this.waiting.delete(session);
  }
}
