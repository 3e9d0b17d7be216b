export { EPOCH_STATES, EPOCH_TRANSITIONS, type EpochState } from './epoch.js';
export {
  type ChainTotals,
  claimable,
  isSolvent,
  owedBy,
  vaultOf,
  withdrawable,
} from './solvency.js';
export { counted, faultOf, NO_TOTALS, type SettledCharge, slashed, sumOf } from './totals.js';
export { priorityFee, type PriorityFeeRule } from './priority-fee.js';
export {
  type NodeWord,
  type Sighting,
  type TransactionStep,
  transactionStep,
} from './transaction-step.js';
