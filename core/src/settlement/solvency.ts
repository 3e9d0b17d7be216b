import type { SettlementTotals, SubmitterLeaf, WorkerLeaf } from '@tidemill/protocol';

/** What the chain has seen since the beginning, in base units. Each only ever grows. */
export interface ChainTotals {
  readonly deposited: bigint;
  readonly withdrawn: bigint;
  /** Claimed by workers. */
  readonly paid: bigint;
  readonly feesWithdrawn: bigint;
}

/** What the vault must hold, exactly: whatever came in and did not go out. */
export const vaultOf = ({ deposited, withdrawn, paid, feesWithdrawn }: ChainTotals): bigint =>
  deposited - withdrawn - paid - feesWithdrawn;

/**
 * What the vault owes to workers, to the network and to submitters under these totals, each of whom is owed at least nothing: workers
 * that were paid more than they have kept do not pay back, so what is refunded for them is still owed. The settlement program counts
 * the same. Null when submitters have spent more than there is of theirs.
 */
export function owedBy(totals: SettlementTotals, chain: ChainTotals): bigint | null {
  const toWorkers = atLeastNothing(totals.earned - totals.slashed) - chain.paid;
  const toNetwork = totals.fees - totals.feesGiven - chain.feesWithdrawn;
  const toSubmitters = chain.deposited - chain.withdrawn - totals.spent + totals.refunded;
  if (toSubmitters < 0n) return null;
  return atLeastNothing(toWorkers) + atLeastNothing(toNetwork) + toSubmitters;
}

const atLeastNothing = (amount: bigint): bigint => (amount > 0n ? amount : 0n);

/** Whether everybody could be paid at once. */
export function isSolvent(totals: SettlementTotals, chain: ChainTotals): boolean {
  const owed = owedBy(totals, chain);
  return owed !== null && vaultOf(chain) >= owed;
}

/** What a claim pays. Nothing to a worker that was slashed for more than it has earned since. */
export function claimable(
  { lifetimeEarned, lifetimeSlashed }: Pick<WorkerLeaf, 'lifetimeEarned' | 'lifetimeSlashed'>,
  paid: bigint,
): bigint {
  const left = lifetimeEarned - lifetimeSlashed - paid;
  return left > 0n ? left : 0n;
}

/** What a submitter may withdraw at most: neither what it has spent nor what is held for its jobs. */
export function withdrawable(
  leaf: Pick<SubmitterLeaf, 'lifetimeSpent' | 'lifetimeRefunded' | 'held'>,
  { deposited, withdrawn }: Pick<ChainTotals, 'deposited' | 'withdrawn'>,
): bigint {
  const left = deposited - withdrawn - leaf.lifetimeSpent + leaf.lifetimeRefunded - leaf.held;
  return left > 0n ? left : 0n;
}
