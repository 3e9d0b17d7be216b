export { ChainError } from './chain-error.js';
export { approve, execute, openProposals, type Proposal } from './proposals.js';
export { type ChainPlace, SettlementOnChain, type StakeOnChain } from './settlement.js';
export { checkLeaves, checkWorker, type PayoutCheck } from './verify-payout.js';
