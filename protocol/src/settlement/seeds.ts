import { utf8ToBytes } from '../crypto.js';
import { LayoutWriter } from './layout.js';

/** How many paid totals of 8 bytes lie in a page of 10,240 bytes, behind a header of 80. */
export const PAGE_ENTRIES = 1270;
export const PAGE_BYTES = 10_240;

/** Where a worker's paid total lies: the page and the place in it. */
export const paidTotalAt = (index: number): { readonly page: number; readonly place: number } => ({
  page: Math.floor(index / PAGE_ENTRIES),
  place: index % PAGE_ENTRIES,
});

/**
 * The seeds of the program's addresses. A network's own is made of who initialized it, so nobody can be there first, and of the
 * cluster's genesis hash, so that nothing signed for one cluster holds on another.
 */
export const SETTLEMENT_SEEDS = {
  network: (initializer: Uint8Array, genesisHash: Uint8Array) => [
    utf8ToBytes('network'),
    initializer,
    genesisHash,
  ],
  vault: (network: Uint8Array) => [utf8ToBytes('vault'), network],
  stakeVault: (network: Uint8Array) => [utf8ToBytes('stake-vault'), network],
  page: (network: Uint8Array, page: number) => [
    utf8ToBytes('page'),
    network,
    new LayoutWriter().u32(page).finish(),
  ],
  submitter: (network: Uint8Array, submitter: Uint8Array) => [
    utf8ToBytes('submitter'),
    network,
    submitter,
  ],
  stake: (network: Uint8Array, worker: Uint8Array) => [utf8ToBytes('stake'), network, worker],
  proposal: (network: Uint8Array, number: bigint) => [
    utf8ToBytes('proposal'),
    network,
    new LayoutWriter().u64(number).finish(),
  ],
} as const;
