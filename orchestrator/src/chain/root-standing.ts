import type { NetworkOnChain, RootOnChain } from './network-account.js';

/**
 * How an epoch of the ledger stands on chain: not there yet, within its window, claimable, taken back, or a contradiction: there is
 * another root for its number, or the chain is further than the ledger knows.
 */
export type RootStanding = 'absent' | 'pending' | 'active' | 'voided' | 'contradicted';

export function rootStanding(
  chain: Pick<NetworkOnChain, 'slot' | 'lastEpoch' | 'active' | 'pending'>,
  epoch: bigint,
  statementHash: Uint8Array,
): RootStanding {
  if (chain.lastEpoch < epoch) return 'absent';
  const found = [chain.pending, chain.active].find((root) => root?.epoch === epoch);
  if (found == null) {
    // Numbers are given once: with none of its own, and nothing after it, it was taken back.
    return chain.lastEpoch === epoch ? 'voided' : 'contradicted';
  }
  if (Buffer.compare(found.statementHash, statementHash) !== 0) return 'contradicted';
  return activeRoot(chain)?.epoch === epoch ? 'active' : 'pending';
}

/** The root that is claimed against: the program lets a pending one take its place only when somebody next calls it. */
export function activeRoot({
  slot,
  active,
  pending,
}: Pick<NetworkOnChain, 'slot' | 'active' | 'pending'>): RootOnChain | null {
  return pending !== null && slot >= pending.activationSlot ? pending : active;
}
