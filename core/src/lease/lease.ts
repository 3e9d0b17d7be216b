/** A worker's time-limited right to an attempt. */
export interface Lease {
  readonly state: 'offered' | 'active' | 'released' | 'expired';
  readonly fence: number;
  /** On the clock of whoever keeps the lease. */
  readonly untilMs: number;
}

export type LeaseEvent =
  | { readonly type: 'accept' | 'renew' | 'release'; readonly fence: number }
  | { readonly type: 'sweep' };

export type LeaseChange =
  | { readonly ok: true; readonly lease: Lease }
  | {
      readonly ok: false;
      readonly reason: 'lease_closed' | 'lease_expired' | 'wrong_fence' | 'not_offered';
    };

/**
 * Applies one event at `nowMs`. A late renewal loses: the task may already run elsewhere. A release needs only the fence, since
 * time never decides about a result (G4).
 */
export function advance(
  lease: Lease,
  event: LeaseEvent,
  nowMs: number,
  termMs: number,
): LeaseChange {
  if (event.type === 'sweep') {
    const over = isOpen(lease) && nowMs >= lease.untilMs;
    return { ok: true, lease: over ? { ...lease, state: 'expired' } : lease };
  }
  if (event.fence !== lease.fence) return { ok: false, reason: 'wrong_fence' };
  if (event.type === 'release') {
    return lease.state === 'released'
      ? { ok: false, reason: 'lease_closed' }
      : { ok: true, lease: { ...lease, state: 'released' } };
  }
  if (!isOpen(lease)) return { ok: false, reason: 'lease_closed' };
  if (nowMs >= lease.untilMs) return { ok: false, reason: 'lease_expired' };
  if (event.type === 'accept' && lease.state !== 'offered')
    return { ok: false, reason: 'not_offered' };
  return { ok: true, lease: { ...lease, state: 'active', untilMs: nowMs + termMs } };
}

const isOpen = (lease: Lease): boolean => lease.state === 'offered' || lease.state === 'active';
